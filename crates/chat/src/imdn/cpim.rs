//! The format `message/cpim`, RFC 3862: headers of the message, headers of its content, the content.

/// The octets that both groups of headers may have together, and the headers of each.
const MAX_HEAD: usize = 16 * 1024;
const MAX_FIELDS: usize = 64;

/// The media type of this format, and that of a notification.
pub(super) const CPIM: &str = "message/cpim";
pub(super) const IMDN: &str = "message/imdn+xml";

/// A header as it stands in the body, its value still with RFC 3862 §2.3's escapes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Field<'a> {
    /// With its namespace prefix, `imdn.Message-ID`.
    pub name: &'a str,
    /// Without the parameters that may stand before it, `;lang=en`.
    pub value: &'a str,
}

/// A body that was read.
///
/// The reader is lenient where nothing hangs on it: lines may end in LF, the blank after a colon may be missing, lines
/// that are no header are passed over, and a MIME header of the whole may stand on top. Not lenient: the order of the
/// parts, the spelling of CPIM's headers (RFC 3862 §2.2: `From` and `from` are two), and sizes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cpim<'a> {
    /// The message's headers in order.
    pub fields: Vec<Field<'a>>,
    /// The content's MIME headers in order; their values may have line ends in them, where they are folded.
    pub content_fields: Vec<Field<'a>>,
    pub content: &'a [u8],
}

impl<'a> Cpim<'a> {
    /// Reads a body; `None` when it is no CPIM, or has more headers than anybody needs: more than 64 of a kind, or more
    /// than 16 KiB.
    pub fn read(body: &'a [u8]) -> Option<Self> {
        let (mut fields, mut rest) = section(body, MAX_HEAD, false)?;
        // RFC 3862 §2.1 has the type of the whole outside; some clients write it inside too.
        if matches!(&fields[..], [only] if is(only, "Content-Type") && media_type(only.value, CPIM)) {
            (fields, rest) = section(rest, MAX_HEAD - (body.len() - rest.len()), false)?;
        }
        let left = MAX_HEAD.checked_sub(body.len() - rest.len())?;
        let (content_fields, content) = section(rest, left, true)?;
        Some(Self { fields, content_fields, content })
    }

    /// The first header of the message called exactly so.
    pub fn field(&self, name: &str) -> Option<&'a str> {
        self.fields.iter().find(|field| field.name == name).map(|field| field.value)
    }

    /// The first header of the content called so; MIME's names have no case.
    pub fn content_field(&self, name: &str) -> Option<&'a str> {
        self.content_fields.iter().find(|field| is(field, name)).map(|field| field.value)
    }

    /// The headers of the namespace `urn`, without their prefix.
    ///
    /// RFC 3862 §3.4: a prefix counts from its NS header on. `usual` is taken for the prefix until a header says
    /// otherwise, since some clients never declare it.
    pub fn of_namespace(&self, urn: &str, usual: &str) -> Vec<Field<'a>> {
        let mut prefixes: Vec<&str> = vec![usual];
        let mut found = Vec::new();
        for field in &self.fields {
            if field.name == "NS" {
                let Some((prefix, name)) = declaration(field.value) else { continue };
                prefixes.retain(|known| *known != prefix);
                if name == urn {
                    prefixes.push(prefix);
                }
            } else {
                let (prefix, name) = field.name.split_once('.').unwrap_or(("", field.name));
                if prefixes.contains(&prefix) {
                    found.push(Field { name, value: field.value });
                }
            }
        }
        found
    }
}

/// `imdn <urn:ietf:params:imdn>` as its two parts; without a prefix it is the namespace of names that have none.
fn declaration(value: &str) -> Option<(&str, &str)> {
    let (prefix, rest) = value.split_once('<')?;
    Some((prefix.trim(), rest.split_once('>')?.0))
}

fn is(field: &Field<'_>, name: &str) -> bool {
    field.name.eq_ignore_ascii_case(name)
}

/// Whether a Content-Type, with or without parameters, names this media type.
pub(super) fn media_type(value: &str, name: &str) -> bool {
    value.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(name)
}

/// Reads headers up to the blank line, and what comes after it. Only the content's may be folded: those of the message
/// stand on one line (RFC 3862 §2.2).
fn section(bytes: &[u8], limit: usize, may_be_folded: bool) -> Option<(Vec<Field<'_>>, &[u8])> {
    let mut fields = Vec::new();
    let mut start = 0;
    loop {
        // Content may end before its blank line, and has no content then.
        if start >= bytes.len() {
            return may_be_folded.then_some((fields, &[]));
        }
        let end = line_end(bytes, start, limit)?;
        let mut line = trim_end(&bytes[start..end]);
        let mut next = end + 1;
        if line.is_empty() {
            return Some((fields, bytes.get(next..).unwrap_or_default()));
        }
        while may_be_folded && matches!(bytes.get(next), Some(b' ' | b'\t')) {
            let end = line_end(bytes, next, limit)?;
            line = trim_end(&bytes[start..end]);
            next = end + 1;
        }
        fields.extend(field(line));
        if fields.len() > MAX_FIELDS {
            return None;
        }
        start = next;
    }
}

/// Where the line that starts at `start` ends, at its LF or the end of all; `None` past the limit.
fn line_end(bytes: &[u8], start: usize, limit: usize) -> Option<usize> {
    let searched = &bytes[start..bytes.len().min(limit)];
    match searched.iter().position(|byte| *byte == b'\n') {
        Some(at) => Some(start + at),
        None => (bytes.len() <= limit).then_some(bytes.len()),
    }
}

fn trim_end(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// `Name:;param=x value`; `None` for what is no header, or not UTF-8.
fn field(line: &[u8]) -> Option<Field<'_>> {
    let (name, rest) = std::str::from_utf8(line).ok()?.split_once(':')?;
    if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_graphic()) {
        return None;
    }
    // RFC 3862 §3.6: parameters end at the first blank, as none of ours is quoted.
    let value = match rest.strip_prefix(';') {
        Some(parameters) => parameters.split_once(' ').map_or("", |(_, value)| value),
        None => rest,
    };
    Some(Field { name, value: value.trim() })
}

/// Writes a body, header by header.
#[derive(Default, Debug)]
pub struct Writer(String);

impl Writer {
    /// Adds a header. The value is in RFC 3862 §2.3's escaped form; control characters in it are escaped, so that no
    /// value ends its line.
    pub fn field(&mut self, name: &str, value: &str) -> &mut Self {
        self.0.push_str(name);
        self.0.push_str(": ");
        for character in value.chars() {
            match character {
                '\0'..='\x1f' | '\x7f' => self.0.push_str(&format!("\\u{:04x}", u32::from(character))),
                _ => self.0.push(character),
            }
        }
        self.0.push_str("\r\n");
        self
    }

    /// Ends a group of headers.
    pub fn blank_line(&mut self) -> &mut Self {
        self.0.push_str("\r\n");
        self
    }

    /// The body, with its content.
    pub fn content(self, content: &str) -> Vec<u8> {
        let mut bytes = self.0.into_bytes();
        bytes.extend_from_slice(content.as_bytes());
        bytes
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(body: &str) -> String {
        let Some(cpim) = Cpim::read(body.as_bytes()) else { return "no".into() };
        let list = |fields: &[Field<'_>]| {
            fields.iter().map(|f| format!("{}={:?}", f.name, f.value)).collect::<Vec<_>>().join(" ")
        };
        let content = String::from_utf8_lossy(cpim.content);
        format!("{} | {} | {content}", list(&cpim.fields), list(&cpim.content_fields))
    }

    #[test]
    fn bodies_are_read() {
        let cases = [
            (
                "From: A <im:a@b>\r\nTo: <im:c@d>\r\n\r\nContent-Type: text/plain\r\n\r\nHello\r\n",
                "From=\"A <im:a@b>\" To=\"<im:c@d>\" | Content-Type=\"text/plain\" | Hello\r\n",
            ),
            // LF, no blank after the colon.
            (
                "From:<im:a@b>\n\nContent-Type:text/plain\n\nx",
                "From=\"<im:a@b>\" | Content-Type=\"text/plain\" | x",
            ),
            // The type of the whole inside.
            (
                "Content-type: Message/CPIM\r\n\r\nFrom: <im:a@b>\r\n\r\nContent-Type: a/b\r\n\r\nx",
                "From=\"<im:a@b>\" | Content-Type=\"a/b\" | x",
            ),
            // Parameters, lines that are none, names with blanks.
            (
                "Subject:;lang=fr beau temps\r\nno header\r\nin valid: x\r\n: y\r\n\r\n\r\nx",
                "Subject=\"beau temps\" |  | x",
            ),
            // Folding is MIME's.
            (
                "To: <im:a@b>\r\n c: d\r\n\r\nContent-Type: multipart/mixed;\r\n boundary=x\r\n\r\nx",
                "To=\"<im:a@b>\" | Content-Type=\"multipart/mixed;\\r\\n boundary=x\" | x",
            ),
            (
                "To: <im:a@b>\r\n\r\nContent-Type:\r\n message/imdn+xml\r\n\r\nx",
                "To=\"<im:a@b>\" | Content-Type=\"message/imdn+xml\" | x",
            ),
            // No content.
            ("To: <im:a@b>\r\n\r\nContent-Type: a/b", "To=\"<im:a@b>\" | Content-Type=\"a/b\" | "),
            ("To: <im:a@b>\r\n\r\nContent-Type: a/b\r\n", "To=\"<im:a@b>\" | Content-Type=\"a/b\" | "),
            ("To: <im:a@b>\r\n\r\n", "To=\"<im:a@b>\" |  | "),
            // No end of the message's headers.
            ("To: <im:a@b>\r\n", "no"),
            ("Hello", "no"),
            ("", "no"),
        ];
        for (body, expected) in cases {
            assert_eq!(shown(body).trim(), expected.trim(), "{body:?}");
        }
    }

    #[test]
    fn what_is_too_long_is_not_read() {
        let headers = |count: usize| "X: y\r\n".repeat(count) + "\r\n\r\n";
        assert!(Cpim::read(headers(64).as_bytes()).is_some());
        assert!(Cpim::read(headers(65).as_bytes()).is_none());
        let long = |octets: usize| format!("X: {}\r\n\r\nContent-Type: a/b\r\n\r\nx", "y".repeat(octets));
        assert!(Cpim::read(long(16_000).as_bytes()).is_some());
        assert!(Cpim::read(long(17_000).as_bytes()).is_none());
        let content = format!("X: y\r\n\r\nY: z\r\n\r\n{}", "x".repeat(100_000));
        assert_eq!(Cpim::read(content.as_bytes()).map(|cpim| cpim.content.len()), Some(100_000));
    }

    #[test]
    fn names_belong_to_the_namespace_their_prefix_is_declared_for() {
        let cases = [
            ("NS: imdn <urn:x>\nimdn.A: 1", "A=1"),
            ("NS: i <urn:x>\ni.A: 1\nimdn.B: 2", "A=1 B=2"),
            ("imdn.A: 1", "A=1"),
            ("NS: imdn <urn:other>\nimdn.A: 1", ""),
            ("i.A: 1\nNS: i <urn:x>\ni.B: 2\nNS: i <urn:y>\ni.C: 3", "B=2"),
            ("NS: <urn:x>\nA: 1\nj.B: 2", "A=1"),
            ("NS: i urn:x\ni.A: 1", ""),
        ];
        for (fields, expected) in cases {
            let body = format!("{fields}\n\n\n");
            let cpim = Cpim::read(body.as_bytes()).unwrap();
            let found = cpim.of_namespace("urn:x", "imdn");
            let found: Vec<_> = found.iter().map(|field| format!("{}={}", field.name, field.value)).collect();
            assert_eq!(found.join(" "), expected, "{fields}");
        }
    }

    proptest! {
        #[test]
        fn no_octets_panic(body in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = Cpim::read(&body);
        }

        #[test]
        fn pieces_do_not_panic(pieces in proptest::collection::vec(
            proptest::sample::select(vec!["From:", "\r\n", "\n", "\r", " ", ":", ";", "<", ">", "NS: i <urn:x>", "i.A", "Content-Type", "message/cpim", "é"]), 0..40)) {
            let body = pieces.concat();
            if let Some(cpim) = Cpim::read(body.as_bytes()) {
                prop_assert!(body.as_bytes().ends_with(cpim.content));
                let _ = cpim.of_namespace("urn:x", "imdn");
            }
        }

        #[test]
        fn what_is_written_is_read(
            fields in proptest::collection::vec(("[A-Za-z][A-Za-z.-]{0,10}", any::<String>()), 1..8),
            content in any::<String>(),
        ) {
            let mut writer = Writer::default();
            fields.iter().for_each(|(name, value)| { writer.field(name, value); });
            writer.blank_line().field("Content-Type", "text/plain").blank_line();
            let body = writer.content(&content);
            let cpim = Cpim::read(&body).unwrap();
            prop_assert_eq!(cpim.content, content.as_bytes());
            prop_assert_eq!(cpim.fields.len(), fields.len());
            for (read, (name, value)) in cpim.fields.iter().zip(&fields) {
                prop_assert_eq!(read.name, name.as_str());
                if !value.chars().any(char::is_control) {
                    prop_assert_eq!(read.value, value.trim());
                }
            }
        }
    }
}
