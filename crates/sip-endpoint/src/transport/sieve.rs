//! A part of all MESSAGEs, the same ones whenever they come again.
//!
//! The kernel can do the sieving: what it drops costs whoever sent it, or the core that the network interrupts, and not the
//! shard, whose time a flood of retransmissions would eat by being read.

use std::io;
use std::net::UdpSocket;

use libc::{
    BPF_ABS, BPF_ALU, BPF_IMM, BPF_JEQ, BPF_JGE, BPF_JGT, BPF_JMP, BPF_K, BPF_LD, BPF_LDX, BPF_LEN, BPF_MISC,
    BPF_MUL, BPF_RET, BPF_RSH, BPF_TAX, BPF_W, BPF_X, BPF_XOR,
};
use socket2::{SockFilter, SockRef};

/// This part of a datagram is looked at: Request-URI and topmost Via, whose branch tells requests apart.
const FROM: u32 = 16;
const WORDS: u32 = 64;
/// Octets of a word.
const STEP: u32 = 4;
/// What has less to look at passes.
const LEAST: u32 = FROM + STEP * WORDS;
/// Odd, with bits all over.
const MIX: u32 = 0x9e37_79b1;
const SHIFT: u32 = 15;
/// Octets before the datagram, as a filter sees it: UDP's header.
const HEADER: u32 = 8;

/// Where a datagram lies among all; `None`: it passes any sieve. `seed` is secret, or senders could choose.
pub fn place(seed: u32, datagram: &[u8]) -> Option<u32> {
    if datagram.len() < LEAST as usize || !datagram.starts_with(b"MESS") {
        return None;
    }
    let (words, _) = datagram[FROM as usize..LEAST as usize].as_chunks::<{ STEP as usize }>();
    Some(words.iter().fold(seed, |hash, word| {
        let mixed = (hash ^ u32::from_be_bytes(*word)).wrapping_mul(MIX);
        mixed ^ mixed >> SHIFT
    }))
}

/// Has the kernel drop what lies above `kept`.
pub fn put(socket: &UdpSocket, seed: u32, kept: u32) -> io::Result<()> {
    SockRef::from(socket).attach_filter(&program(seed, kept))
}

/// Has the kernel drop nothing.
pub fn lift(socket: &UdpSocket) -> io::Result<()> {
    SockRef::from(socket).detach_filter()
}

fn program(seed: u32, kept: u32) -> Vec<SockFilter> {
    let op = |code: u32, k| SockFilter::new(code as u16, 0, 0, k);
    let jump = |test: u32, k, yes, no| SockFilter::new((BPF_JMP | test | BPF_K) as u16, yes, no, k);
    let mut program = vec![
        op(BPF_LD | BPF_W | BPF_LEN, 0),
        jump(BPF_JGE, HEADER + LEAST, 1, 0),
        op(BPF_RET | BPF_K, u32::MAX),
        op(BPF_LD | BPF_W | BPF_ABS, HEADER),
        jump(BPF_JEQ, u32::from_be_bytes(*b"MESS"), 1, 0),
        op(BPF_RET | BPF_K, u32::MAX),
        op(BPF_LDX | BPF_IMM, seed),
    ];
    for word in 0..WORDS {
        program.extend([
            op(BPF_LD | BPF_W | BPF_ABS, HEADER + FROM + STEP * word),
            op(BPF_ALU | BPF_XOR | BPF_X, 0),
            op(BPF_ALU | BPF_MUL | BPF_K, MIX),
            op(BPF_MISC | BPF_TAX, 0),
            op(BPF_ALU | BPF_RSH | BPF_K, SHIFT),
            op(BPF_ALU | BPF_XOR | BPF_X, 0),
            op(BPF_MISC | BPF_TAX, 0),
        ]);
    }
    program.extend([jump(BPF_JGT, kept, 0, 1), op(BPF_RET | BPF_K, 0), op(BPF_RET | BPF_K, u32::MAX)]);
    program
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(number: u32) -> Vec<u8> {
        let via = format!("SIP/2.0/UDP 192.0.2.1:5060;rport;branch=z9hG4bK{number:010}");
        format!("MESSAGE sip:somebody@chat.test SIP/2.0\r\nVia: {via}\r\n{}", "x".repeat(300)).into_bytes()
    }

    #[test]
    fn the_kernel_keeps_what_lies_below() {
        const SEED: u32 = 0x1234_5678;
        let kept = u32::MAX / 4;
        let [from, to] = std::array::from_fn(|_| UdpSocket::bind("127.0.0.1:0").unwrap());
        to.set_nonblocking(true).unwrap();
        let at = to.local_addr().unwrap();
        put(&to, SEED, kept).unwrap();
        let short = message(7)[..LEAST as usize - 1].to_vec();
        let mut other = message(7);
        other[..4].copy_from_slice(b"INFO");
        let datagrams: Vec<_> = (0..200).map(message).chain([short, other]).collect();
        let passes = |datagram: &[u8]| {
            from.send_to(datagram, at).unwrap();
            to.recv(&mut [0; 2000]).is_ok()
        };
        let passed: Vec<bool> = datagrams.iter().map(|datagram| passes(datagram)).collect();
        let expected = |datagram: &Vec<u8>| place(SEED, datagram).is_none_or(|place| place <= kept);
        assert_eq!(passed, datagrams.iter().map(expected).collect::<Vec<_>>());
        let count = passed.iter().filter(|passed| **passed).count();
        assert!((30..75).contains(&count), "{count} of 200");
        lift(&to).unwrap();
        assert!(datagrams.iter().all(|datagram| passes(datagram)));
    }
}
