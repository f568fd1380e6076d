//! Distribution messages on a connection: lengths, ticks, and what is too much.

use erl_dist::message::{Message, RecvError, SendError};
use tokio::io::{AsyncRead, AsyncReadExt as _};

use crate::check::{self, CheckError};

/// How long a message may be.
pub const MAX_FRAME_OCTETS: usize = 4 * 1024 * 1024;

/// What keeps a silent connection alive.
pub const TICK: [u8; 4] = [0; 4];

/// The octet before every message: nothing was agreed on that would need another header.
const PASS_THROUGH: u8 = 112;

/// Why no further message can be read from a connection, or one not be written.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    #[error("the connection is closed")]
    Closed,
    #[error("a message of {0} octets")]
    Long(usize),
    #[error("a header of the unknown kind {0}")]
    Header(u8),
    #[error(transparent)]
    Check(#[from] CheckError),
    // The decoder's own words may show all of a peer's term.
    #[error("a message that can't be understood")]
    Meaning,
    #[error("encode: {0}")]
    Encode(#[from] SendError),
}

/// Reads the next message; `None` is one that asks for something this node does not know, which changes nothing.
pub async fn read<R: AsyncRead + Unpin>(reader: &mut R) -> Result<Option<Message>, WireError> {
    let len = reader.read_u32().await.map_err(|_| WireError::Closed)? as usize;
    if len == 0 {
        return Ok(Some(Message::Tick));
    }
    if len > MAX_FRAME_OCTETS {
        return Err(WireError::Long(len));
    }
    let mut frame = Vec::new();
    // The buffer grows with what arrives, not with what is announced.
    reader.take(len as u64).read_to_end(&mut frame).await.map_err(|_| WireError::Closed)?;
    if frame.len() < len {
        return Err(WireError::Closed);
    }
    decode(&frame)
}

fn decode(frame: &[u8]) -> Result<Option<Message>, WireError> {
    let (&header, mut octets) = frame.split_first().ok_or(WireError::Header(0))?;
    if header != PASS_THROUGH {
        return Err(WireError::Header(header));
    }
    check::message(octets)?;
    match Message::read_from(&mut octets) {
        Ok(message) => Ok(Some(message)),
        Err(RecvError::UnsupportedOp { .. }) => Ok(None),
        Err(_) => Err(WireError::Meaning),
    }
}

/// The message as it is written to a connection.
pub fn encode(message: Message) -> Result<Vec<u8>, WireError> {
    if matches!(message, Message::Tick) {
        return Ok(TICK.to_vec());
    }
    let mut frame = vec![0, 0, 0, 0, PASS_THROUGH];
    message.write_into(&mut frame)?;
    let len = u32::try_from(frame.len() - 4).map_err(|_| WireError::Long(frame.len()))?;
    frame[..4].copy_from_slice(&len.to_be_bytes());
    Ok(frame)
}

#[cfg(test)]
mod tests {
    use eetf::{Atom, Pid, Term};

    use super::*;

    #[tokio::test]
    async fn what_is_written_is_read() {
        let pid = Pid { node: Atom::from("a@b"), id: 1, serial: 0, creation: 1 };
        for message in [Message::Tick, Message::reg_send(pid, Atom::from("x"), Term::from(Atom::from("hi")))]
        {
            let octets = encode(message.clone()).expect("encoded");
            assert_eq!(read(&mut &octets[..]).await.expect("read"), Some(message));
        }
    }

    #[tokio::test]
    async fn garbage_ends_the_reading() {
        let long = u32::try_from(MAX_FRAME_OCTETS + 1).expect("small").to_be_bytes();
        for (octets, told) in [
            (&long[..], "a message of 4194305 octets"),
            (&[0, 0, 0, 1, 131], "a header of the unknown kind 131"),
            (&[0, 0, 0, 3, 112, 131, 106], "a message that can't be understood"),
            (&[0, 0, 0, 9, 112, 131], "the connection is closed"),
            (&[0, 0], "the connection is closed"),
            (&[0, 0, 0, 4, 112, 131, 80, 1], "a term of the unknown kind 80"),
        ] {
            assert_eq!(read(&mut &octets[..]).await.expect_err("garbage").to_string(), told);
        }
        // {99, x}: no such request.
        let unknown = [0, 0, 0, 9, 112, 131, 104, 2, 97, 99, 119, 1, b'x'];
        assert_eq!(read(&mut &unknown[..]).await.expect("harmless"), None);
    }

    /// A message with a term of every kind that this node may be sent.
    fn sound() -> Vec<u8> {
        let mut payload = vec![131, 104, 16, 97, 1, 98, 0, 0, 1, 0, 106, 107, 0, 2, b'a', b'b'];
        payload.extend([70, 63, 240, 0, 0, 0, 0, 0, 0, 109, 0, 0, 0, 1, 7, 77, 0, 0, 0, 1, 3, 160]);
        payload.extend([110, 2, 1, 1, 2, 119, 1, b'x', 118, 0, 1, b'y', 116, 0, 0, 0, 1, 97, 1, 97, 2]);
        payload.extend([108, 0, 0, 0, 1, 97, 1, 106, 113, 119, 1, b'm', 119, 1, b'f', 97, 0]);
        payload.extend([90, 0, 1, 119, 1, b'n', 0, 0, 0, 1, 0, 0, 0, 2]);
        payload.extend([120, 119, 1, b'n', 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1]);
        let pid = [88, 119, 1, b'n', 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1];
        payload.extend(pid);
        let control = [&[112, 131, 104, 4, 97, 6][..], &pid, &[119, 0, 119, 1, b'x']].concat();
        [control, payload].concat()
    }

    #[test]
    fn the_sound_message_is_sound() {
        assert!(matches!(decode(&sound()), Ok(Some(Message::RegSend(_)))), "{:?}", decode(&sound()));
    }

    proptest::proptest! {
        #![proptest_config(proptest::test_runner::Config::with_cases(4_096))]

        #[test]
        fn no_octets_make_the_decoder_panic(
            changes in proptest::collection::vec((0_usize..200, 0_u8..=255), 1..4),
            rest in proptest::collection::vec(0_u8..=255, 0..40),
        ) {
            let mut frame = sound();
            for (at, octet) in changes {
                let len = frame.len();
                frame[at % len] = octet;
            }
            let _ = decode(&frame);
            let _ = decode(&[&[112, 131][..], &rest].concat());
        }
    }
}
