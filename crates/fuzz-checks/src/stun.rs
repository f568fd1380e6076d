use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use chappe_sip_msg::stun::{answer, is_stun};
use chappe_sip_msg::{Fault, parse};

const HEADER: usize = 20;
const COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];

/// Any datagram: what is STUN's is not SIP's; an answer is for its request, tells the source where it is, and is hardly
/// longer than the request.
pub fn stun(datagram: &[u8]) {
    let (v4, v6) = (Ipv4Addr::new(192, 0, 2, 1), Ipv6Addr::new(0x2001, 0xdb8, 1, 2, 3, 4, 5, 6));
    for source in [SocketAddr::from((v4, 4321)), SocketAddr::from((v6, 65_535))] {
        let Some(answer) = answer(datagram, source) else { continue };
        assert!(is_stun(datagram) && is_stun(&answer));
        assert!(answer.len() <= datagram.len() + 24);
        assert_eq!(answer[4..HEADER], datagram[4..HEADER], "the transaction is the request's");
        let length = usize::from(u16::from_be_bytes([answer[2], answer[3]]));
        assert_eq!(HEADER + length, answer.len());
        match [answer[0], answer[1]] {
            [0x01, 0x01] => assert_eq!(mapped(&answer), source),
            [0x01, 0x11] => assert_eq!(answer[HEADER..HEADER + 8], [0, 9, 0, 4, 0, 0, 4, 20]),
            other => panic!("{other:?} is no answer"),
        }
    }
    if is_stun(datagram) {
        let error = parse(datagram).expect_err("STUN is not SIP");
        assert!(error.answerable().is_none(), "{:?}", error.fault());
        assert_ne!(error.fault(), Fault::Empty);
    }
}

/// XOR-MAPPED-ADDRESS, the first attribute of a success, read as RFC 5389 §15.2 says.
fn mapped(answer: &[u8]) -> SocketAddr {
    let attribute = &answer[HEADER..];
    assert_eq!(attribute[..2], [0, 0x20]);
    let port = u16::from_be_bytes([attribute[6], attribute[7]]) ^ u16::from_be_bytes([COOKIE[0], COOKIE[1]]);
    let hidden = &attribute[8..4 + usize::from(u16::from_be_bytes([attribute[2], attribute[3]]))];
    let address: Vec<u8> = hidden.iter().zip(&answer[4..]).map(|(octet, mask)| octet ^ mask).collect();
    let ip = match <[u8; 4]>::try_from(&address[..]) {
        Ok(v4) => IpAddr::from(v4),
        Err(_) => IpAddr::from(<[u8; 16]>::try_from(&address[..]).expect("an address")),
    };
    SocketAddr::new(ip, port)
}
