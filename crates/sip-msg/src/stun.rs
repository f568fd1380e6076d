//! STUN binding requests, by which clients keep the way to them open on UDP (RFC 5626 §3.5.2, RFC 5389).

use std::net::{IpAddr, SocketAddr};

/// RFC 5389 §6.
const MAGIC_COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
const HEADER: usize = 20;
const BINDING_REQUEST: [u8; 2] = [0x00, 0x01];
const BINDING_SUCCESS: [u8; 2] = [0x01, 0x01];
const BINDING_ERROR: [u8; 2] = [0x01, 0x11];
const XOR_MAPPED_ADDRESS: [u8; 2] = [0x00, 0x20];
const ERROR_CODE: [u8; 2] = [0x00, 0x09];
const UNKNOWN_ATTRIBUTES: [u8; 2] = [0x00, 0x0a];
/// Attributes above this need not be understood, RFC 5389 §15.
const OPTIONAL: u16 = 0x8000;
/// Attributes that a request without credentials may have and that change nothing: USERNAME, MESSAGE-INTEGRITY, REALM and
/// NONCE, RFC 5389 §18.2.
const KNOWN: [u16; 4] = [0x0006, 0x0008, 0x0014, 0x0015];
/// Unknown attributes that an error names.
const NAMED: usize = 8;

/// Whether a datagram is STUN's and not SIP's, RFC 5626 §8: its first two bits are zero, and the cookie stands where it should.
pub fn is_stun(datagram: &[u8]) -> bool {
    datagram.first().is_some_and(|first| first & 0xc0 == 0)
        && datagram.len() >= HEADER
        && datagram[4..8] == MAGIC_COOKIE
}

/// What a binding request from `source` is answered. `None`: it is none, or one that is to be dropped.
///
/// The answer is at most 24 octets longer than the request: it is of no use for writing to others under a false address.
pub fn answer(request: &[u8], source: SocketAddr) -> Option<Vec<u8>> {
    if !is_stun(request) || request[..2] != BINDING_REQUEST {
        return None;
    }
    let length = usize::from(u16::from_be_bytes([request[2], request[3]]));
    // RFC 5389 §6: attributes are padded to four octets.
    if length % 4 != 0 || request.len() != HEADER + length {
        return None;
    }
    let unknown = unknown(&request[HEADER..])?;
    let mut body = Vec::with_capacity(24);
    let kind = if unknown.is_empty() {
        let transaction = request[4..HEADER].try_into().ok()?;
        attribute(XOR_MAPPED_ADDRESS, &mapped(source, transaction), &mut body);
        BINDING_SUCCESS
    } else {
        // RFC 5389 §7.3.1: 420, Unknown Attribute.
        attribute(ERROR_CODE, &[0, 0, 4, 20], &mut body);
        let names: Vec<u8> = unknown.iter().take(NAMED).flat_map(|name| name.to_be_bytes()).collect();
        attribute(UNKNOWN_ATTRIBUTES, &names, &mut body);
        BINDING_ERROR
    };
    let mut out = Vec::with_capacity(HEADER + body.len());
    out.extend_from_slice(&kind);
    out.extend_from_slice(&u16::try_from(body.len()).ok()?.to_be_bytes());
    out.extend_from_slice(&request[4..HEADER]);
    out.extend_from_slice(&body);
    Some(out)
}

/// Attributes that have to be understood and are not; `None`: they don't fit into each other.
fn unknown(mut attributes: &[u8]) -> Option<Vec<u16>> {
    let mut unknown = Vec::new();
    while let [a, b, c, d, rest @ ..] = attributes {
        let name = u16::from_be_bytes([*a, *b]);
        let length = usize::from(u16::from_be_bytes([*c, *d])).next_multiple_of(4);
        attributes = rest.get(length..)?;
        if name < OPTIONAL && !KNOWN.contains(&name) {
            unknown.push(name);
        }
    }
    Some(unknown)
}

fn attribute(name: [u8; 2], value: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&name);
    // The values here are a few octets long.
    out.extend_from_slice(&(value.len() as u16).to_be_bytes());
    out.extend_from_slice(value);
    out.resize(out.len().next_multiple_of(4), 0);
}

/// RFC 5389 §15.2: address and port, hidden from routers that rewrite what looks like an address. `transaction` begins with the
/// cookie.
fn mapped(source: SocketAddr, transaction: &[u8; 16]) -> Vec<u8> {
    const IPV4: u8 = 1;
    const IPV6: u8 = 2;
    let [high, low, ..] = MAGIC_COOKIE;
    let port = (source.port() ^ u16::from_be_bytes([high, low])).to_be_bytes();
    let hide = |octets: &[u8]| -> Vec<u8> {
        octets.iter().zip(transaction).map(|(octet, mask)| octet ^ mask).collect()
    };
    let (family, address) = match source.ip().to_canonical() {
        IpAddr::V4(v4) => (IPV4, hide(&v4.octets())),
        IpAddr::V6(v6) => (IPV6, hide(&v6.octets())),
    };
    [&[0, family][..], &port, &address].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The transaction of RFC 5769 §2.
    const ID: [u8; 12] = [0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae];

    fn request(attributes: &[u8]) -> Vec<u8> {
        let length = u16::try_from(attributes.len()).unwrap().to_be_bytes();
        [&BINDING_REQUEST[..], &length, &MAGIC_COOKIE, &ID, attributes].concat()
    }

    fn success(attribute: &[u8]) -> Vec<u8> {
        [&[1, 1, 0, attribute.len() as u8][..], &MAGIC_COOKIE, &ID, attribute].concat()
    }

    #[test]
    fn the_addresses_of_rfc_5769() {
        // §2.2 and §2.3, the attribute XOR-MAPPED-ADDRESS.
        let v4 = [0, 0x20, 0, 8, 0, 1, 0xa1, 0x47, 0xe1, 0x12, 0xa6, 0x43];
        let v6 = [
            0, 0x20, 0, 0x14, 0, 2, 0xa1, 0x47, 0x01, 0x13, 0xa9, 0xfa, 0xa5, 0xd3, 0xf1, 0x79, 0xbc, 0x25,
            0xf4, 0xb5, 0xbe, 0xd2, 0xb9, 0xd9,
        ];
        let cases: [(&str, &[u8]); 3] = [
            ("192.0.2.1:32853", &v4),
            ("[::ffff:192.0.2.1]:32853", &v4),
            ("[2001:db8:1234:5678:11:2233:4455:6677]:32853", &v6),
        ];
        for (source, attribute) in cases {
            assert_eq!(answer(&request(&[]), source.parse().unwrap()), Some(success(attribute)), "{source}");
        }
    }

    #[test]
    fn attributes_are_known_or_optional_or_refused() {
        let source = "192.0.2.1:32853".parse().unwrap();
        let kind = |attributes: &[u8]| answer(&request(attributes), source).map(|out| [out[0], out[1]]);
        // SOFTWARE; USERNAME of three octets; CHANGE-REQUEST of the days of RFC 3489.
        assert_eq!(kind(&[0x80, 0x22, 0, 4, b'a', b'b', b'c', b'd']), Some(BINDING_SUCCESS));
        assert_eq!(kind(&[0, 6, 0, 3, b'a', b'b', b'c', 0]), Some(BINDING_SUCCESS));
        assert_eq!(kind(&[0, 3, 0, 4, 0, 0, 0, 6]), Some(BINDING_ERROR));
        assert_eq!(kind(&[0, 3, 0, 9, 0, 0, 0, 6]), None);
        let refused = answer(&request(&[0, 3, 0, 4, 0, 0, 0, 6]), source).unwrap();
        assert_eq!(refused[HEADER..], [0, 9, 0, 4, 0, 0, 4, 20, 0, 10, 0, 2, 0, 3, 0, 0]);
    }

    #[test]
    fn what_is_no_binding_request_is_dropped() {
        let source = "192.0.2.1:32853".parse().unwrap();
        let good = request(&[]);
        let mut other_cookie = good.clone();
        other_cookie[4] = 0;
        let mut indication = good.clone();
        indication[1] = 0x11;
        let longer = [&good[..], &[0; 4]].concat();
        for datagram in [
            b"" as &[u8],
            b"\0\x01",
            &good[..19],
            &other_cookie,
            &indication,
            &longer,
            b"MESSAGE sip:a@b SIP/2.0",
        ] {
            assert_eq!(answer(datagram, source), None, "{datagram:?}");
        }
        assert!(!is_stun(b"MESSAGE sip:a@b SIP/2.0\r\n"));
        assert!(is_stun(&indication));
    }

    #[test]
    fn an_answer_is_hardly_longer_than_its_request() {
        let source = "[2001:db8::1]:9".parse().unwrap();
        let many: Vec<u8> = (0..64u8).flat_map(|name| [0x10, name, 0, 0]).collect();
        for attributes in [&[][..], &many[..4], &many] {
            let request = request(attributes);
            assert!(answer(&request, source).unwrap().len() <= request.len() + 24);
        }
    }
}
