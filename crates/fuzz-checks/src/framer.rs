use chappe_sip_msg::stream::{Frame, FrameError, FrameLimits, Framer};
use chappe_sip_msg::{Limits, parse};

type Found = (Vec<Option<Vec<u8>>>, Option<FrameError>);

/// Any stream: the same frames in one read and in reads of the sizes the first octet chooses; little is held.
pub fn framer(input: &[u8]) {
    let Some((&size, stream)) = input.split_first() else { return };
    let whole = frames(std::iter::once(stream));
    let pieces = frames(stream.chunks(usize::from(size) % 64 + 1));
    assert_eq!(whole, pieces);
    for message in whole.0.iter().flatten() {
        if let Ok(parsed) = parse(message) {
            assert!(message.ends_with(parsed.bytes()), "the framer and the parser agree on the end");
        }
    }
}

fn frames<'a>(reads: impl Iterator<Item = &'a [u8]>) -> Found {
    let limits = FrameLimits { head: 2000, message: 4000, lines: Limits::default() };
    let mut framer = Framer::new(limits);
    let mut found = Vec::new();
    for read in reads {
        framer.push(read);
        loop {
            match framer.next() {
                Ok(None) => break,
                Ok(Some(Frame::Ping)) => found.push(None),
                Ok(Some(Frame::Message(message))) => found.push(Some(message.to_vec())),
                Err(error) => return (found, Some(error)),
            }
        }
        assert!(framer.rest().len() <= limits.message, "what is not whole is within the limits");
    }
    (found, None)
}
