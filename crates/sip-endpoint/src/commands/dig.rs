//! `sofia_dig`: where a message to a domain would go.

use std::sync::Arc;

use chappe_api::{Answer, Call, Command, Row};
use chappe_sip_msg::{Scheme, Uri};

use crate::Endpoint;
use crate::config::Hop;
use crate::outbound::Target;

pub const ROW: Row = Row { name: "sofia_dig", syntax: "[xml] <url>", doc: "SIP DIG", module: "mod_sofia" };

pub struct SofiaDig(pub Arc<Endpoint>);

impl Command for SofiaDig {
    fn row(&self) -> &Row {
        &ROW
    }

    /// FreeSWITCH sip-dig.c lists every server with its order and weight; here they stand in the order of being tried.
    fn run(&self, call: Call<'_>) -> Answer {
        let (is_xml, text) = match call.args.split_once(' ') {
            Some((word, rest)) if word.eq_ignore_ascii_case("xml") => (true, rest.trim()),
            _ => (false, call.args),
        };
        if text.is_empty() {
            return Answer::usage(&ROW);
        }
        let Some(hop) = wanted(text) else {
            return Answer::Ready(format!("-ERR {text} is no SIP URI\n"));
        };
        let answer = self.0.world().resolver.resolve(hop);
        let text = text.to_owned();
        Answer::Later(Box::pin(async move {
            let found = answer.await.unwrap_or_default();
            if found.is_empty() { format!("-ERR: {text}: not found\n") } else { shown(is_xml, &found) }
        }))
    }
}

/// Host, port and transport of a SIP URI, or of a bare host.
fn wanted(text: &str) -> Option<Hop> {
    let whole =
        if text.contains(':') && text.starts_with("sip") { text.to_owned() } else { format!("sip:{text}") };
    Uri::parse(whole.as_bytes()).ok().filter(|uri| matches!(uri.scheme, Scheme::Sip | Scheme::Sips))?;
    Hop::parse(&whole)
}

/// The order in which they are tried; a weight has done its work by then.
fn shown(is_xml: bool, found: &[Target]) -> String {
    let lines = (1..).zip(found).map(|(preference, target)| {
        let peer = target.peer;
        let transport = peer.transport.to_string().to_ascii_lowercase();
        let (port, address) = (peer.addr.port(), peer.addr.ip().to_canonical());
        match is_xml {
            true => format!(
                " <route>\n  <preference>{preference}</preference>\n  <weight>1.000</weight>\n  \
                 <transport>{transport}</transport>\n  <port>{port}</port>\n  <address>{address}</address>\n </route>\n"
            ),
            false => format!("{preference:>10}\t{:>10}\t{transport:>10}\t{port:>10}\t{address:>10}\n", "1.000"),
        }
    });
    let lines: String = lines.collect();
    if is_xml {
        return format!("<routes>\n{lines}</routes>\n");
    }
    let line = "=".repeat(80);
    let head = format!(
        "{:>10}\t{:>10}\t{:>10}\t{:>10}\t{:>10}\n{line}\n",
        "Preference", "Weight", "Transport", "Port", "Address"
    );
    head + &lines
}
