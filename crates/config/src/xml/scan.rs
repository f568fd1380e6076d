//! Walking over a text.

/// A place in a text. Every jump lands on a character's start, since only ASCII is looked for.
pub(super) struct Scan<'t> {
    text: &'t str,
    position: usize,
}

impl<'t> Scan<'t> {
    pub fn new(text: &'t str) -> Self {
        Scan { text, position: 0 }
    }

    pub fn position(&self) -> usize {
        self.position
    }

    pub fn slice(&self, from: usize, to: usize) -> &'t str {
        self.text.get(from..to).unwrap_or_default()
    }

    fn rest(&self) -> &'t [u8] {
        &self.text.as_bytes()[self.position..]
    }

    pub fn peek(&self) -> Option<u8> {
        self.rest().first().copied()
    }

    pub fn looking_at(&self, what: &str) -> bool {
        self.rest().starts_with(what.as_bytes())
    }

    /// Goes on, over characters that the caller has seen to be ASCII.
    pub fn advance(&mut self, octets: usize) {
        let mut position = (self.position + octets).min(self.text.len());
        while !self.text.is_char_boundary(position) {
            position += 1;
        }
        self.position = position;
    }

    /// To the next of this octet, or the end.
    pub fn skip_to(&mut self, octet: u8) {
        self.position += memchr::memchr(octet, self.rest()).unwrap_or(self.rest().len());
    }

    /// How far it is to the next occurrence.
    pub fn find(&self, what: &str) -> Option<usize> {
        memchr::memmem::find(self.rest(), what.as_bytes())
    }

    /// What stands before the next of these octets, or the end.
    pub fn take_until(&mut self, octets: &[u8]) -> &'t str {
        let from = self.position;
        let length = self.rest().iter().position(|octet| octets.contains(octet));
        self.position += length.unwrap_or(self.rest().len());
        self.slice(from, self.position)
    }

    /// Over octets of this set.
    pub fn skip_any(&mut self, octets: &[u8]) {
        let length = self.rest().iter().position(|octet| !octets.contains(octet));
        self.position += length.unwrap_or(self.rest().len());
    }

    /// Over what C's isspace takes.
    pub fn skip_blanks(&mut self) {
        self.skip_any(b" \t\r\n\x0b\x0c");
    }
}
