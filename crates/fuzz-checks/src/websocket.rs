use chappe_sip_endpoint::websocket::{Cut, Cutter as _, Frames, frame};

/// Most octets of a control frame, RFC 6455 §5.5.
const CONTROL: usize = 125;

/// Any octets of a client: the same messages wherever they are cut, which are those that a reader who has all of them at
/// once finds. The first octet chooses the size of reads, the second whether octets are frames that only lack their masks.
pub fn websocket(input: &[u8]) {
    let [size, form, octets @ ..] = input else { return };
    let octets = if form & 1 == 0 { octets.to_vec() } else { masked(octets) };
    let whole = told(std::iter::once(&octets[..]));
    assert_eq!(told(octets.chunks(usize::from(*size) % 64 + 1)), whole);
    assert_eq!(at_once(&octets), whole);
    let sent = frame(&octets);
    let (opcode, payload) = unframed(&sent);
    assert_eq!(payload, octets);
    assert_eq!(opcode, if std::str::from_utf8(&octets).is_ok() { 1 } else { 2 });
}

/// What octets come to.
#[derive(PartialEq, Eq, Debug)]
enum Told {
    Message(Vec<u8>),
    Alive(Option<Vec<u8>>),
    Goodbye,
    /// With its status code.
    Broken(u16),
}

fn told<'a>(reads: impl Iterator<Item = &'a [u8]>) -> Vec<Told> {
    let (mut frames, mut told) = (Frames::default(), Vec::new());
    for read in reads {
        frames.push(read);
        loop {
            match frames.next() {
                Ok(None) => break,
                Ok(Some(Cut::Message(message))) => told.push(Told::Message(message.to_vec())),
                Ok(Some(Cut::Alive(answer))) => {
                    let payload = |answer: bytes::Bytes| unframed(&answer).1.to_vec();
                    told.push(Told::Alive(answer.map(payload)));
                }
                Ok(Some(Cut::Goodbye(last))) => {
                    assert_eq!(unframed(&last).0, 8);
                    told.push(Told::Goodbye);
                    return told;
                }
                Err(broken) => {
                    let last = broken.last.expect("the client is told");
                    let (opcode, code) = unframed(&last);
                    assert_eq!(opcode, 8);
                    told.push(Told::Broken(u16::from_be_bytes(code.try_into().expect("a status code"))));
                    return told;
                }
            }
        }
    }
    told
}

/// Frames without masks, each a first octet, a length octet and as many octets: as a client sends them.
fn masked(mut plain: &[u8]) -> Vec<u8> {
    const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
    let mut out = Vec::new();
    while let [first, length, rest @ ..] = plain {
        let (payload, rest) = rest.split_at(usize::from(length & 0x7f).min(rest.len()));
        out.push(*first);
        match payload.len() {
            short @ 0..=125 => out.push(0x80 | short as u8),
            long => {
                out.push(0x80 | 126);
                out.extend_from_slice(&(long as u16).to_be_bytes());
            }
        }
        out.extend_from_slice(&MASK);
        out.extend(payload.iter().zip(MASK.iter().cycle()).map(|(octet, mask)| octet ^ mask));
        plain = rest;
    }
    out
}

/// A frame of the server: its opcode and payload.
fn unframed(frame: &[u8]) -> (u8, &[u8]) {
    assert_eq!(frame[0] & 0xf0, 0x80, "one frame a message, nothing reserved");
    let (length, head) = match frame[1] {
        126 => (usize::from(u16::from_be_bytes([frame[2], frame[3]])), 4),
        127 => (u64::from_be_bytes(frame[2..10].try_into().expect("eight octets")) as usize, 10),
        short => (usize::from(short), 2),
    };
    let payload = &frame[head..];
    assert_eq!(payload.len(), length);
    (frame[0] & 0x0f, payload)
}

/// RFC 6455 §5 read plainly, by one who has all octets.
fn at_once(octets: &[u8]) -> Vec<Told> {
    let mut told = Vec::new();
    let mut message: Option<(u8, Vec<u8>)> = None;
    let mut rest = octets;
    while let [first, second, after @ ..] = rest {
        let (fin, opcode, short) = (first & 0x80 != 0, first & 0x0f, usize::from(second & 0x7f));
        if first & 0x70 != 0 || second & 0x80 == 0 {
            told.push(Told::Broken(1002));
            return told;
        }
        let wide = [0, 2, 8][(short >= 126) as usize + (short == 127) as usize];
        let Some((length, after)) = after.split_at_checked(wide) else { break };
        let number = |octets: &[u8]| octets.iter().fold(0u64, |sum, octet| sum << 8 | u64::from(*octet));
        let length = if wide == 0 { short as u64 } else { number(length) };
        let is_control = opcode >= 8;
        if matches!(opcode, 3..=7 | 11..=15) || is_control && (!fin || length > CONTROL as u64) {
            told.push(Told::Broken(1002));
            return told;
        }
        if length > 256 * 1024 {
            told.push(Told::Broken(1009));
            return told;
        }
        let Some((mask, after)) = after.split_at_checked(4) else { break };
        let Some((hidden, after)) = after.split_at_checked(length as usize) else { break };
        let payload: Vec<u8> =
            hidden.iter().zip(mask.iter().cycle()).map(|(octet, mask)| octet ^ mask).collect();
        rest = after;
        match (opcode, &mut message) {
            (8, _) => {
                told.push(Told::Goodbye);
                return told;
            }
            (9, _) => told.push(Told::Alive(Some(payload))),
            (10, _) => told.push(Told::Alive(None)),
            (0, None) | (1 | 2, Some(_)) => {
                told.push(Told::Broken(1002));
                return told;
            }
            (0, Some((_, begun))) => begun.extend_from_slice(&payload),
            (opcode, None) => message = Some((opcode, payload)),
            (_, Some(_)) => unreachable!("the opcodes are checked"),
        }
        if fin && !is_control {
            let (opcode, message) = message.take().expect("it has begun");
            if opcode == 1 && std::str::from_utf8(&message).is_err() {
                told.push(Told::Broken(1007));
                return told;
            }
            told.push(match &message[..] {
                b"\r\n\r\n" => Told::Alive(Some(b"\r\n".to_vec())),
                b"" | b"\r\n" => Told::Alive(None),
                _ => Told::Message(message),
            });
        }
    }
    told
}
