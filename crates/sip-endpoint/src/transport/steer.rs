//! The program by which the kernel chooses among the sockets of a port.
//!
//! Answers go to other sockets than requests, so that a flood of requests leaves room for them. Within each kind the sender
//! decides, so that what is sent again meets what it repeats.

use libc::{
    BPF_ABS, BPF_ADD, BPF_ALU, BPF_H, BPF_IMM, BPF_JEQ, BPF_JMP, BPF_K, BPF_LD, BPF_LDX, BPF_MEM, BPF_MISC,
    BPF_MOD, BPF_MUL, BPF_OR, BPF_RET, BPF_RSH, BPF_ST, BPF_TAX, BPF_W, BPF_X, BPF_XOR, SKF_NET_OFF,
    sock_filter,
};

/// `SIP/` in lower case, and what makes letters so: what an answer starts with.
const ANSWER: u32 = u32::from_be_bytes(*b"sip/");
const LOWER: u32 = 0x2020_2000;
/// Odd, with bits all over.
const MIX: u32 = 0x9e37_79b1;

/// Requests go to the first `shards` sockets that were bound, answers to as many behind them. Offset 0 is the first octet of
/// the datagram; a datagram that is too short goes to the first socket.
pub fn program(shards: u32, is_ipv6: bool) -> Vec<sock_filter> {
    let load = |size, at: u32| op(BPF_LD | size | BPF_ABS, at);
    let base = 1;
    let mut program = vec![
        load(BPF_W, 0),
        op(BPF_ALU | BPF_OR | BPF_K, LOWER),
        sock_filter { jf: 2, ..op(BPF_JMP | BPF_JEQ | BPF_K, ANSWER) },
        op(BPF_LD | BPF_IMM, shards),
        sock_filter { jt: 1, jf: 1, ..op(BPF_JMP | BPF_JEQ | BPF_K, 0) },
        op(BPF_LD | BPF_IMM, 0),
        op(BPF_ST, base),
    ];
    let (address, port): (&[u32], u32) = if is_ipv6 { (&[8, 12, 16, 20], 40) } else { (&[12], 20) };
    // Behind options of IPv4 the port is not found, and something else of the same sender counts instead.
    program.push(load(BPF_H, network(port)));
    for word in address {
        program.extend([
            op(BPF_ALU | BPF_MUL | BPF_K, MIX),
            op(BPF_MISC | BPF_TAX, 0),
            load(BPF_W, network(*word)),
            op(BPF_ALU | BPF_XOR | BPF_X, 0),
        ]);
    }
    program.extend([
        op(BPF_ALU | BPF_MUL | BPF_K, MIX),
        op(BPF_ALU | BPF_RSH | BPF_K, 16),
        op(BPF_ALU | BPF_MOD | BPF_K, shards.max(1)),
        op(BPF_LDX | BPF_MEM, base),
        op(BPF_ALU | BPF_ADD | BPF_X, 0),
        // RET A.
        op(BPF_RET | 0x10, 0),
    ]);
    program
}

/// An offset into the network header.
fn network(at: u32) -> u32 {
    SKF_NET_OFF.cast_unsigned() + at
}

fn op(code: u32, k: u32) -> sock_filter {
    sock_filter { code: code as u16, jt: 0, jf: 0, k }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::net::UdpSocket;

    use crate::transport::mmsg::RecvBatch;
    use crate::transport::udp;

    /// Sends each of these from so many sockets; where each came in: shard, whether for answers, the sender, and what it was.
    fn sent(at: &str, datagrams: &[&str], senders: usize) -> Vec<(usize, bool, u16, String)> {
        let sockets = udp::open(at.parse().unwrap(), 3).unwrap();
        let to = sockets[0].local_addr().unwrap();
        let senders: Vec<_> = (0..senders).map(|_| UdpSocket::bind((to.ip(), 0)).unwrap()).collect();
        for sender in senders.iter().cycle().take(senders.len() * 2) {
            for datagram in datagrams {
                sender.send_to(datagram.as_bytes(), to).unwrap();
            }
        }
        let (mut batch, mut all) = (RecvBatch::new(32), Vec::new());
        for (shard, pair) in sockets.iter().enumerate() {
            for (is_answers, socket) in [(false, Some(&pair.requests)), (true, pair.answers.as_ref())] {
                let socket = socket.expect("the system takes the program");
                while batch.receive(socket).unwrap() > 0 {
                    all.extend(batch.datagrams().map(|(datagram, from)| {
                        let text = String::from_utf8_lossy(datagram).into_owned();
                        (shard, is_answers, from.port(), text)
                    }));
                }
            }
        }
        all
    }

    #[test]
    fn answers_have_sockets_of_their_own_and_senders_stay_where_they_are() {
        for at in ["127.0.0.1:0", "[::1]:0"] {
            let datagrams = ["SIP/2.0 200 OK\r\n", "sip/2.0 180 R", "MESSAGE sip:a", "SIPS", "\r\n", ""];
            let all = sent(at, &datagrams, 40);
            assert_eq!(all.len(), 40 * 2 * datagrams.len());
            let is_answer = |text: &str| text.to_ascii_lowercase().starts_with("sip/");
            assert!(all.iter().all(|(_, answers, _, text)| *answers == is_answer(text)));
            let long = all.iter().filter(|(.., text)| text.len() >= 4);
            let shard_of: BTreeSet<_> = long.map(|(shard, _, from, _)| (*from, *shard)).collect();
            assert_eq!(shard_of.len(), 40, "a sender is at one shard");
            let shards: BTreeSet<_> = shard_of.iter().map(|(_, shard)| shard).collect();
            assert_eq!(shards.len(), 3, "the senders spread");
        }
    }
}
