//! A DNS server of the test's own, for one domain with one server of SIP.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};

/// Where the domain's SIP server is: one service record, and the address that it leads to.
#[derive(Clone)]
pub struct Zone {
    /// `_sips._tcp.up.test`.
    pub service: String,
    /// The host that has the service.
    pub host: String,
    pub addr: (Ipv4Addr, u16),
}

const A: u16 = 1;
const SRV: u16 = 33;

/// Answers for as long as the test runs.
pub fn serve(zone: Zone) -> SocketAddr {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a loopback socket");
    let at = socket.local_addr().expect("a bound socket");
    std::thread::spawn(move || {
        let mut question = [0; 1500];
        while let Ok((length, from)) = socket.recv_from(&mut question) {
            if let Some(answer) = answer(&question[..length], &zone) {
                // Whoever asked may have gone.
                let _ = socket.send_to(&answer, from);
            }
        }
    });
    at
}

/// RFC 1035 §4.1. `None`: it is no question.
fn answer(question: &[u8], zone: &Zone) -> Option<Vec<u8>> {
    let (name, end) = name(question.get(12..)?)?;
    let end = 12 + end;
    let kind = u16::from_be_bytes([*question.get(end)?, *question.get(end + 1)?]);
    let data = match kind {
        A if name.eq_ignore_ascii_case(&zone.host) => Some(zone.addr.0.octets().to_vec()),
        SRV if name.eq_ignore_ascii_case(&zone.service) => Some(service(zone)),
        _ => None,
    };
    let mut out = question[..2].to_vec();
    // A response, recursion available; one question, no records of other sections.
    out.extend([0x81, 0x80, 0, 1, 0, u8::from(data.is_some()), 0, 0, 0, 0]);
    out.extend(&question[12..end + 4]);
    if let Some(data) = data {
        // The name of the question, class IN, one minute.
        out.extend([0xc0, 12]);
        out.extend(kind.to_be_bytes());
        out.extend([0, 1, 0, 0, 0, 60]);
        out.extend((data.len() as u16).to_be_bytes());
        out.extend(data);
    }
    Some(out)
}

/// Priority and weight 0, RFC 2782.
fn service(zone: &Zone) -> Vec<u8> {
    let mut data = vec![0; 4];
    data.extend(zone.addr.1.to_be_bytes());
    for label in zone.host.split('.') {
        data.push(label.len() as u8);
        data.extend(label.as_bytes());
    }
    data.push(0);
    data
}

/// The name at the beginning, and how many octets it takes.
fn name(octets: &[u8]) -> Option<(String, usize)> {
    let (mut labels, mut at) = (Vec::new(), 0);
    loop {
        let length = usize::from(*octets.get(at)?);
        at += 1;
        if length == 0 {
            return Some((labels.join("."), at));
        }
        labels.push(String::from_utf8_lossy(octets.get(at..at + length)?).into_owned());
        at += length;
    }
}
