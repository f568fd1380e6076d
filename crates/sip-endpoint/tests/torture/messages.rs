//! The messages of RFC 4475 §3 and what it says of each, in its order and in our words.

/// What the RFC wants of whoever gets the message.
#[derive(Clone, Copy)]
pub enum Wants {
    /// To take it as well-formed. An answer says anything but that it can't be read.
    WellFormed,
    /// To refuse it, with one of these.
    Refused(&'static [u16]),
    /// To refuse it with 400, or to see what is meant and take it all the same.
    RefusedOrRepaired,
    /// What the words say; an answer has one of these codes.
    Says(&'static str, &'static [u16]),
    /// To drop it.
    Dropped,
}

/// One message.
pub struct Torture {
    pub section: &'static str,
    /// The name the RFC has for it; with `.sip` its file's.
    pub name: &'static str,
    pub tries: &'static str,
    pub wants: Wants,
    /// Why what this server does is something else, or why it is that.
    pub note: &'static str,
    /// What it does is not what the RFC wants.
    pub differs: bool,
}

const fn torture(section: &'static str, name: &'static str, tries: &'static str, wants: Wants) -> Torture {
    Torture { section, name, tries, wants, note: "", differs: false }
}

impl Torture {
    const fn note(self, note: &'static str) -> Self {
        Self { note, ..self }
    }

    const fn differs(self, why: &'static str) -> Self {
        Self { note: why, differs: true, ..self }
    }
}

use Wants::{Dropped, Refused, RefusedOrRepaired, Says, WellFormed};

const NO_CALLS: &str = "There are no calls here: INVITE is read, and refused as a method.";
const STRICT: &str = "Nothing is repaired.";

pub const MESSAGES: [Torture; 49] = [
    torture("3.1.1.1", "wsinv", "Folded lines, white space and escapes wherever they may stand", WellFormed)
        .note(NO_CALLS),
    torture("3.1.1.2", "intmeth", "Every character that a method, URI or parameter may have", Says("well-formed, 501", &[501])),
    torture("3.1.1.3", "esc01", "`%` escapes in URIs", WellFormed).note(NO_CALLS),
    torture("3.1.1.4", "escnull", "Escaped NULs in URIs", Says("200, two contacts", &[200])),
    torture("3.1.1.5", "esc02", "`%` where it escapes nothing: a method that is not REGISTER", Refused(&[501])),
    torture("3.1.1.6", "lwsdisp", "No space between display name and `<`", Says("against the grammar, to be taken", &[200, 202])),
    torture("3.1.1.7", "longreq", "Long values, 34 Vias", WellFormed).note(NO_CALLS),
    torture("3.1.1.8", "dblreq", "A second request behind the end of the first one", Says("200, the rest is noise", &[200]))
        .note("What is behind the body is cut off: one answer."),
    torture("3.1.1.9", "semiuri", "Semicolons in the user part of a URI", WellFormed),
    torture("3.1.1.10", "transports", "Known and unknown transports in Via", WellFormed),
    torture("3.1.1.11", "mpart01", "A MESSAGE with a multipart body that has binary octets", WellFormed)
        .note("The device gets the body octet by octet."),
    torture("3.1.1.12", "unreason", "A reason phrase of unusual characters", WellFormed),
    torture("3.1.1.13", "noreason", "An empty reason phrase", WellFormed),
    torture("3.1.2.1", "badinv01", "Separators with nothing between them in Via and Contact", Refused(&[400])),
    torture("3.1.2.2", "clerr", "Content-Length beyond the end of the datagram", Refused(&[400])),
    torture("3.1.2.3", "ncl", "A negative Content-Length", Says("an error", &[400])),
    torture("3.1.2.4", "scalar02", "A request with numbers that are too large", Refused(&[400])),
    torture("3.1.2.5", "scalarlg", "A response with numbers that are too large", Dropped),
    torture("3.1.2.6", "quotbal", "A display name with one quote", Refused(&[400])),
    torture("3.1.2.7", "ltgtruri", "`<>` around the Request-URI", RefusedOrRepaired).note(STRICT),
    torture("3.1.2.8", "lwsruri", "White space within the Request-URI", RefusedOrRepaired).note(STRICT),
    torture("3.1.2.9", "lwsstart", "Several spaces in the request line", RefusedOrRepaired).note(STRICT),
    torture("3.1.2.10", "trws", "Spaces at the end of the request line", RefusedOrRepaired).note(STRICT),
    torture("3.1.2.11", "escruri", "Headers in the Request-URI", RefusedOrRepaired).note(STRICT),
    torture("3.1.2.12", "baddate", "A Date that is not in GMT", Says("taken by who does not need Date, else 400 or repaired", &[405, 202]))
        .note("Nothing depends on Date, which passes on as it is."),
    torture("3.1.2.13", "regbadct", "A Contact with `?` that lacks its `<>`", RefusedOrRepaired).note(STRICT),
    torture("3.1.2.14", "badaspec", "Spaces within `<>`", RefusedOrRepaired).note(STRICT),
    torture("3.1.2.15", "baddn", "A comma in a display name without quotes", RefusedOrRepaired).note(STRICT),
    torture("3.1.2.16", "badvers", "SIP/7.0", Refused(&[505]))
        .note("Its Via can't be read either; the answer goes back to where the request came from."),
    torture("3.1.2.17", "mismatch01", "CSeq names another method", Refused(&[400])),
    torture("3.1.2.18", "mismatch02", "CSeq names another method than an unknown one", Says("501, which is better than 400", &[501, 400])),
    torture("3.1.2.19", "bigcode", "A status code of ten digits", Dropped),
    torture("3.2.1", "badbranch", "A branch that is the magic cookie alone", Says("400, or taken as RFC 2543 has it", &[400, 200, 202]))
        .note("Told apart from others as a request of RFC 2543 is."),
    torture("3.3.1", "insuf", "No Call-ID, From or To", Says("ideally 400", &[400])),
    torture("3.3.2", "unkscm", "A Request-URI of an unknown scheme", Refused(&[416])),
    torture("3.3.3", "novelsc", "A Request-URI of a known scheme that is not SIP's", Refused(&[416, 404])),
    torture("3.3.4", "unksm2", "Unknown schemes in To, From and Contact of a REGISTER", Says("400 by a registrar", &[400])),
    torture("3.3.5", "bext01", "Require and Proxy-Require of what nobody knows", Refused(&[420])),
    torture("3.3.6", "invut", "A body of an unknown type", Says("415; passed on by a proxy", &[415, 202])).differs(
        "INVITE is refused as a method before its body counts (RFC 3261 §8.2.1); a MESSAGE passes on, whatever its body is.",
    ),
    torture("3.3.7", "regaut01", "Authorization of an unknown scheme", Says("401 where a password is needed", &[401]))
        .note("Where a REGISTER needs a password at all, this is none."),
    torture("3.3.8", "multi01", "Headers twice that may stand once", Refused(&[400])),
    torture("3.3.9", "mcl01", "Two Content-Lengths", Says("an error", &[400])),
    torture("3.3.10", "bcast", "A response with the broadcast address in the second Via", Dropped)
        .note("A response is never passed on by its Vias."),
    torture("3.3.11", "zeromf", "Max-Forwards: 0", Says("483 by a proxy, else as if it were more", &[483, 200]))
        .note("OPTIONS is for the server itself; a MESSAGE would go on to a device."),
    torture("3.3.12", "cparam01", "A parameter of the Contact, not of its URI", Says("200, the URI has none", &[200])),
    torture("3.3.13", "cparam02", "A parameter of the Contact's URI", Says("200, the URI keeps it", &[200])),
    torture("3.3.14", "regescrt", "A Contact whose URI has a header", Says("200, the URI keeps it", &[200])),
    torture("3.3.15", "sdp01", "Accept of nothing that is known", Refused(&[406, 400])).differs(
        "INVITE is refused as a method; no answer of this server has a body, so Accept is met.",
    ),
    torture("3.4.1", "inv2543", "A request as RFC 2543 had it", Says("to be taken by who still speaks RFC 2543", &[405, 202])).note(NO_CALLS),
];
