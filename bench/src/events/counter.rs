//! Counting frames without looking into them, so that the load generator is not what is measured.

/// Takes octets as they arrive and counts frames.
#[derive(Default)]
pub struct Counter {
    /// The start of a head whose end has not come yet.
    head: Vec<u8>,
    /// Octets of a body that are still to come.
    skip: usize,
    pub events: u64,
    /// Replies and answers.
    pub replies: u64,
    /// Octets of the last event's frame.
    pub event_octets: usize,
}

impl Counter {
    pub fn take(&mut self, mut octets: &[u8]) {
        while !octets.is_empty() {
            if self.skip > 0 {
                let skipped = self.skip.min(octets.len());
                self.skip -= skipped;
                octets = &octets[skipped..];
                continue;
            }
            octets = self.take_head(octets);
        }
    }

    /// Takes a head, or as much as there is of it; what is left.
    fn take_head<'o>(&mut self, octets: &'o [u8]) -> &'o [u8] {
        if self.head.is_empty() {
            if let Some(end) = end_of_head(octets) {
                self.count(&octets[..end]);
                return &octets[end..];
            }
            self.head.extend_from_slice(octets);
            return &[];
        }
        let before = self.head.len();
        self.head.extend_from_slice(octets);
        let Some(end) = end_of_head(&self.head) else { return &[] };
        let mut head = std::mem::take(&mut self.head);
        head.truncate(end);
        self.count(&head);
        head.clear();
        self.head = head;
        &octets[end - before..]
    }

    fn count(&mut self, head: &[u8]) {
        self.skip = length(head);
        if head.windows(12).any(|window| window == b": text/event") {
            self.events += 1;
            self.event_octets = head.len() + self.skip;
        } else {
            self.replies += 1;
        }
    }
}

fn end_of_head(octets: &[u8]) -> Option<usize> {
    octets.windows(2).position(|pair| pair == b"\n\n").map(|at| at + 2)
}

fn length(head: &[u8]) -> usize {
    const NAME: &[u8] = b"Content-Length: ";
    let Some(at) = head.windows(NAME.len()).position(|window| window == NAME) else { return 0 };
    let digits = head[at + NAME.len()..].iter().take_while(|octet| octet.is_ascii_digit());
    digits.fold(0, |length, digit| 10 * length + usize::from(digit - b'0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_cut_anywhere() {
        let event = "Content-Length: 9\nContent-Type: text/event-plain\n\na: b\n\nc\n\n";
        let text = format!("Content-Type: command/reply\nReply-Text: +OK\n\n{event}{event}");
        for cut in 0..text.len() {
            let mut counter = Counter::default();
            let (first, second) = text.as_bytes().split_at(cut);
            counter.take(first);
            counter.take(second);
            let seen = (counter.replies, counter.events, counter.event_octets);
            assert_eq!(seen, (1, 2, event.len()), "{cut}");
        }
        let mut counter = Counter::default();
        text.bytes().for_each(|octet| counter.take(&[octet]));
        assert_eq!((counter.replies, counter.events), (1, 2));
    }
}
