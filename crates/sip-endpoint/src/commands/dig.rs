//! `sofia_dig`: where a message to a domain would go.

use std::sync::Arc;

use chappe_api::{Answer, Call, Command, Row};
use chappe_sip_msg::{Scheme, Uri};
use chappe_sip_proto::{Peer, Transport};

use crate::Endpoint;

pub const ROW: Row = Row { name: "sofia_dig", syntax: "[xml] <url>", doc: "SIP DIG", module: "mod_sofia" };

pub struct SofiaDig(pub Arc<Endpoint>);

impl Command for SofiaDig {
    fn row(&self) -> &Row {
        &ROW
    }

    /// FreeSWITCH sip-dig.c lists every server with its order and weight; the one that is asked first is what is told
    /// here.
    fn run(&self, call: Call<'_>) -> Answer {
        let (is_xml, text) = match call.args.split_once(' ') {
            Some((word, rest)) if word.eq_ignore_ascii_case("xml") => (true, rest.trim()),
            _ => (false, call.args),
        };
        if text.is_empty() {
            return Answer::usage(&ROW);
        }
        let Some((host, port, transport)) = wanted(text) else {
            return Answer::Ready(format!("-ERR {text} is no SIP URI\n"));
        };
        if let Ok(ip) = host.trim_matches(['[', ']']).parse() {
            let transport = transport.unwrap_or(Transport::Udp);
            let addr = std::net::SocketAddr::new(ip, port.unwrap_or(transport.default_port()));
            return Answer::Ready(shown(is_xml, Peer { transport, addr, connection: None }));
        }
        let answer = self.0.world().resolver.resolve(host, port, transport);
        let text = text.to_owned();
        Answer::Later(Box::pin(async move {
            let found = answer.await.ok().flatten();
            found.map_or_else(|| format!("-ERR: {text}: not found\n"), |peer| shown(is_xml, peer))
        }))
    }
}

/// Host, port and transport of a SIP URI, or of a bare host.
fn wanted(text: &str) -> Option<(String, Option<u16>, Option<Transport>)> {
    let whole =
        if text.contains(':') && text.starts_with("sip") { text.to_owned() } else { format!("sip:{text}") };
    let uri =
        Uri::parse(whole.as_bytes()).ok().filter(|uri| matches!(uri.scheme, Scheme::Sip | Scheme::Sips))?;
    let transport = match uri.scheme {
        Scheme::Sips => Some(Transport::Tls),
        _ => uri.param("transport").and_then(Transport::parse),
    };
    Some((String::from_utf8_lossy(uri.host).into_owned(), uri.port, transport))
}

fn shown(is_xml: bool, peer: Peer) -> String {
    let (transport, port, address) =
        (peer.transport.to_string().to_ascii_lowercase(), peer.addr.port(), peer.addr.ip().to_canonical());
    if is_xml {
        return format!(
            "<routes>\n <route>\n  <preference>1</preference>\n  <weight>1.000</weight>\n  <transport>{transport}</transport>\n  \
             <port>{port}</port>\n  <address>{address}</address>\n </route>\n</routes>\n"
        );
    }
    let line = "=".repeat(80);
    let head = format!(
        "{:>10}\t{:>10}\t{:>10}\t{:>10}\t{:>10}\n{line}\n",
        "Preference", "Weight", "Transport", "Port", "Address"
    );
    head + &format!("{:>10}\t{:>10}\t{transport:>10}\t{port:>10}\t{address:>10}\n", 1, "1.000")
}
