//! Bringing a WebSocket about.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use super::frames::Frames;
use super::handshake::{Origins, Refusal, answer};
use crate::transport::cut::Cutter as _;

/// Most octets of a request's head.
const HEAD: usize = 8 * 1024;

/// Answers the opening handshake. `Err`: it was refused, and the client was told.
pub async fn accept(
    octets: &mut (impl AsyncRead + AsyncWrite + Unpin),
    origins: &Origins,
) -> io::Result<Frames> {
    let (request, end) = match head(octets).await? {
        Ok(head) => head,
        Err(refusal) => return refuse(octets, refusal).await,
    };
    match answer(&request[..end], origins) {
        Ok(response) => {
            octets.write_all(response.as_bytes()).await?;
            octets.flush().await?;
            let mut frames = Frames::default();
            frames.push(&request[end..]);
            Ok(frames)
        }
        Err(refusal) => refuse(octets, refusal).await,
    }
}

/// What was read, and where the head ends in it.
async fn head(octets: &mut (impl AsyncRead + Unpin)) -> io::Result<Result<(Vec<u8>, usize), Refusal>> {
    let mut read = Vec::with_capacity(1024);
    loop {
        if octets.read_buf(&mut read).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        // Each octet is looked at again each time: a head has few of them and comes in one piece.
        let end = read.windows(4).position(|window| window == b"\r\n\r\n").map(|end| end + 4);
        if end.unwrap_or(read.len()) > HEAD {
            return Ok(Err(Refusal::TooLong));
        }
        if let Some(end) = end {
            return Ok(Ok((read, end)));
        }
        // A method is a word in capitals; whoever speaks something else need not be heard out.
        if !read.iter().take(3).all(u8::is_ascii_uppercase) {
            return Ok(Err(Refusal::NoHttp));
        }
    }
}

async fn refuse(octets: &mut (impl AsyncWrite + Unpin), refusal: Refusal) -> io::Result<Frames> {
    octets.write_all(refusal.response().as_bytes()).await?;
    octets.shutdown().await?;
    Err(io::Error::new(io::ErrorKind::InvalidData, refusal))
}
