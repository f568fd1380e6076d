use chappe_sip_msg::{
    CSeq, Contact, HeaderName, MediaType, NameAddr, Param, Params, Values, Via, escape_user, parse, unescape,
    unfold,
};

/// What the first octet chooses among.
const READERS: [fn(&[u8]); 9] = [via, name_addr, contact, cseq, media_type, values, params, numbers, escapes];

/// Any header value, read as the header that the first octet chooses: no panic; printed from its parts it reads the same;
/// a value that reads as one is not two.
pub fn headers(input: &[u8]) {
    let Some((which, value)) = input.split_first() else { return };
    READERS[usize::from(*which) % READERS.len()](value);
    assert!(unfold(value).iter().all(|byte| !matches!(byte, b'\r' | b'\n')));
}

fn is_one(value: &[u8]) -> bool {
    let mut values = Values::of(value);
    values.next() == Some(trimmed(value)) && values.next().is_none()
}

fn trimmed(value: &[u8]) -> &[u8] {
    let is_lws = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
    let start = value.iter().position(|byte| !is_lws(byte)).unwrap_or(value.len());
    let end = value.iter().rposition(|byte| !is_lws(byte)).map_or(start, |last| last + 1);
    &value[start..end]
}

fn via(value: &[u8]) {
    let Ok(via) = Via::parse(value) else { return };
    assert!(is_one(value));
    let parts = |via: &Via<'_>| {
        let texts = [Some(via.transport), Some(via.host), via.branch, via.received, via.maddr];
        (texts.map(|text| text.map(<[u8]>::to_vec)), via.port, via.rport)
    };
    let mut printed = [b"SIP/2.0/", via.transport, b" ", via.host].concat();
    if let Some(port) = via.port {
        printed.extend_from_slice(format!(":{port}").as_bytes());
    }
    printed.extend_from_slice(via.params.text());
    let again = Via::parse(&printed).expect("what is printed can be read");
    assert_eq!(parts(&again), parts(&via));
    for (name, kept) in [("branch", via.branch), ("received", via.received), ("maddr", via.maddr)] {
        // Of a name that stands twice, which RFC 3261 §7.3.1 forbids, the first with a value counts.
        let is_it = |param: &Param<'_>| param.name.eq_ignore_ascii_case(name.as_bytes());
        let plain = via.params.iter().filter(is_it).find_map(|param| param.value);
        match plain {
            Some(value) if !value.starts_with(b"\"") => assert_eq!(kept, Some(value), "{name}"),
            plain => assert_eq!(kept.is_some(), plain.is_some(), "{name}"),
        }
    }
    assert_eq!(via.rport.is_some(), via.params.has("rport"));
    let _ = via.ip();
}

/// The display name, URI and parameters of an address, as an address.
fn printed(address: &NameAddr<'_>) -> Vec<u8> {
    let display = address.display.unwrap_or_default();
    [display, b" <", address.uri.text(), b">", address.params.text()].concat()
}

fn name_addr(value: &[u8]) {
    let Ok(address) = NameAddr::parse(HeaderName::From, value) else { return };
    assert!(is_one(value));
    let text = printed(&address);
    let again = NameAddr::parse(HeaderName::From, &text).expect("what is printed can be read");
    assert_eq!(again.display_name(), address.display_name());
    assert_eq!(
        (again.uri.text(), again.tag(), again.params),
        (address.uri.text(), address.tag(), address.params)
    );
    assert_eq!((address.tag(), address.has_tag()), (address.params.get("tag"), address.params.has("tag")));
}

/// In a message: what its check of the whole line says is what the reading of each value says.
fn contact(value: &[u8]) {
    let good = Values::of(value).all(|value| Contact::parse(value).is_ok());
    for address in Values::of(value).filter_map(|value| Contact::parse(value).ok()) {
        let Some(address) = address.address() else { continue };
        assert!(address.q().is_none_or(|q| q <= 1000));
        assert_eq!(address.expires().is_some(), address.params.get("expires").is_some());
    }
    let value = unfold(value);
    let request = in_message("Contact", &value);
    let message = parse(&request);
    if good && value.len() < 8000 && !value.contains(&b'\n') {
        let message = message.expect("a message with a good Contact");
        assert_eq!(message.contacts().count(), Values::of(&value).count());
    } else if let Ok(message) = message {
        assert!(message.contacts().all(|contact| contact.is_ok()));
    }
}

fn cseq(value: &[u8]) {
    let Ok(cseq) = CSeq::parse(value) else { return };
    assert!(cseq.number < 1 << 31);
    let printed = [cseq.number.to_string().as_bytes(), b" ", cseq.method.as_bytes()].concat();
    assert_eq!(CSeq::parse(&printed), Ok(cseq));
}

fn media_type(value: &[u8]) {
    let Some(media) = MediaType::parse(value) else { return };
    let printed = [media.kind, b"/", media.subtype, media.params.text()].concat();
    let again = MediaType::parse(&printed).expect("what is printed can be read");
    assert_eq!((again.kind, again.subtype, again.params), (media.kind, media.subtype, media.params));
}

fn values(value: &[u8]) {
    let all: Vec<_> = Values::of(value).collect();
    let again = all.join(&b", "[..]);
    assert_eq!(Values::of(&again).collect::<Vec<_>>(), all);
}

fn params(text: &[u8]) {
    let params = Params::of(text);
    for param in params.iter() {
        let Ok(name) = std::str::from_utf8(param.name) else { continue };
        let found = params.find(name).expect("it was there");
        assert!(found.name.eq_ignore_ascii_case(param.name) && params.has(name));
        assert_eq!(params.get(name).is_some(), found.value.is_some());
    }
}

/// Max-Forwards and Expires against the standard library's idea of a number.
fn numbers(value: &[u8]) {
    let is_digits = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
    let number = std::str::from_utf8(value).ok().filter(|_| is_digits && value.len() <= 20);
    let number = number.map(|text| text.parse::<u128>().expect("digits are a number"));
    let request = in_message("Expires", value);
    if let Some(message) = parse(&request).ok().filter(|_| is_digits) {
        let seconds = number.map_or(u32::MAX, |number| u32::try_from(number).unwrap_or(u32::MAX));
        assert_eq!(message.expires(), Ok(Some(seconds)));
    }
    let request = in_message("Max-Forwards", value);
    if is_digits {
        let hops = number.and_then(|number| u8::try_from(number).ok());
        assert_eq!(parse(&request).ok().and_then(|message| message.max_forwards().ok().flatten()), hops);
    }
}

fn escapes(value: &[u8]) {
    assert!(unescape(value).len() <= value.len());
    let Ok(text) = std::str::from_utf8(value) else { return };
    let mut escaped = String::new();
    escape_user(text, &mut escaped);
    assert_eq!(unescape(escaped.as_bytes()).as_ref(), value);
}

fn in_message(name: &str, value: &[u8]) -> Vec<u8> {
    let head = b"MESSAGE sip:b@h SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:a@h>;tag=1\r\n\
        To: <sip:b@h>\r\nCall-ID: c\r\nCSeq: 1 MESSAGE\r\n";
    [&head[..], name.as_bytes(), b": ", value, b"\r\n\r\n"].concat()
}
