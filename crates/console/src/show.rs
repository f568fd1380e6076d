//! What the server sends by itself, log lines and events, as text for a person.

use std::borrow::Cow;

use chappe_event_socket::client::Frame;

use crate::color::Color;
use crate::printable::printable;

/// Octets of one log line or event that are shown; a body may have millions.
const MAX_SHOWN: usize = 64 * 1024;

/// Which log lines are shown, and how.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LogView {
    /// Only lines with this text.
    pub filter: Option<String>,
    /// Only lines of this UUID, and those of none.
    pub uuid: Option<String>,
    /// Whether a line begins with its UUID, and how many letters of it are shown (0: all).
    pub with_uuid: bool,
    pub uuid_length: usize,
    pub colors: bool,
}

impl LogView {
    /// A `log/data` frame's line; `None` when it is not to be shown. FreeSWITCH fs_cli.c msg_thread_run.
    pub fn line(&self, frame: &Frame) -> Option<String> {
        let body = frame.text();
        let uuid = frame.header("User-Data").filter(|uuid| !uuid.is_empty());
        let other = |(mine, theirs): (&String, &str)| !mine.eq_ignore_ascii_case(theirs);
        if self.uuid.as_ref().zip(uuid).is_some_and(other)
            || self.filter.as_ref().is_some_and(|text| !body.contains(text.as_str()))
            || body.trim_end_matches(['\r', '\n']).is_empty()
        {
            return None;
        }
        let uuid = uuid.filter(|_| self.with_uuid).map(|uuid| format!("{} ", self.short(uuid)));
        let text = ended(&format!("{}{}", uuid.unwrap_or_default(), shortened(&body)));
        let level = frame.header("Log-Level").and_then(|level| level.parse().ok()).unwrap_or(0);
        Some(if self.colors { Color::of_level(level).paint(&text) } else { text })
    }

    fn short<'a>(&self, uuid: &'a str) -> &'a str {
        let end = uuid.char_indices().nth(self.uuid_length).map(|(at, _)| at);
        if self.uuid_length == 0 { uuid } else { &uuid[..end.unwrap_or(uuid.len())] }
    }
}

/// An event, in words that fs_cli uses, too.
pub fn event(frame: &Frame) -> String {
    let kind = frame.content_type();
    match kind {
        "text/event-plain" => {
            let (headers, body) = frame.plain_event();
            let mut text = String::from("RECV EVENT\n");
            for (name, value) in headers {
                // A line break within a value must not look like another header.
                text += &format!("{name}: {}\n", value.replace('\n', "\\n"));
            }
            if !body.is_empty() {
                text += &format!("\n{body}");
            }
            ended(&shortened(&text))
        }
        "text/event-json" | "text/event-xml" => ended(&format!("RECV EVENT\n{}", shortened(&frame.text()))),
        _ => ended(&format!("INCOMING DATA [{kind}]\n{}", shortened(&frame.text()))),
    }
}

/// What a reply says: an API command's text, else the reply's line.
pub fn answer(frame: &Frame) -> String {
    if frame.body.is_empty() {
        frame.header("Reply-Text").unwrap_or_default().to_owned()
    } else {
        frame.text()
    }
}

/// Safe for a terminal, and with a line feed at its end.
pub fn ended(text: &str) -> String {
    let mut text = printable(text).into_owned();
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

fn shortened(text: &str) -> Cow<'_, str> {
    if text.len() <= MAX_SHOWN {
        return Cow::Borrowed(text);
    }
    let end = text.floor_char_boundary(MAX_SHOWN);
    Cow::Owned(format!("{}\n({} more octets)", &text[..end], text.len() - end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(headers: &[(&str, &str)], body: &str) -> Frame {
        let headers = headers.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
        Frame { headers, body: body.as_bytes().to_vec() }
    }

    #[test]
    fn a_log_line_in_its_colour() {
        let line = frame(&[("Log-Level", "3")], "it broke\n");
        assert_eq!(LogView::default().line(&line).as_deref(), Some("it broke\n"));
        let colored = LogView { colors: true, ..LogView::default() };
        assert_eq!(colored.line(&line).as_deref(), Some("\x1b[31mit broke\x1b[0m\n"));
        assert_eq!(colored.line(&frame(&[("Log-Level", "99")], "x")).as_deref(), Some("x\n"));
    }

    #[test]
    fn a_message_in_a_log_line_drives_no_terminal() {
        let line = frame(&[("Log-Level", "7")], "body: \x1b]52;c;cm0=\x07\n");
        let shown = LogView { colors: true, ..LogView::default() }.line(&line).expect("shown");
        assert_eq!(shown, "\x1b[33mbody: \\x1b]52;c;cm0=\\x07\x1b[0m\n");
    }

    #[test]
    fn lines_are_filtered() {
        let text = LogView { filter: Some("sip".into()), ..LogView::default() };
        assert!(text.line(&frame(&[], "sip: 200")).is_some());
        assert!(text.line(&frame(&[], "sms: 200")).is_none());
        let uuid = LogView { uuid: Some("AB12".into()), ..LogView::default() };
        for (data, shown) in [("ab12", true), ("", true), ("cd34", false)] {
            assert_eq!(uuid.line(&frame(&[("User-Data", data)], "x")).is_some(), shown, "{data}");
        }
        assert!(LogView::default().line(&frame(&[], "\n")).is_none());
    }

    #[test]
    fn a_uuid_before_the_line() {
        let line = frame(&[("User-Data", "0123456789")], "x");
        let mut view = LogView { with_uuid: true, ..LogView::default() };
        assert_eq!(view.line(&line).as_deref(), Some("0123456789 x\n"));
        view.uuid_length = 8;
        assert_eq!(view.line(&line).as_deref(), Some("01234567 x\n"));
        view.uuid_length = 80;
        assert_eq!(view.line(&line).as_deref(), Some("0123456789 x\n"));
    }

    #[test]
    fn events() {
        let plain = frame(
            &[("Content-Type", "text/event-plain")],
            "Event-Name: CUSTOM\nvalue: a%0Ab%1B%5B2J\nContent-Length: 2\n\nhi",
        );
        assert_eq!(
            event(&plain),
            "RECV EVENT\nEvent-Name: CUSTOM\nvalue: a\\nb\\x1b[2J\nContent-Length: 2\n\nhi\n"
        );
        assert_eq!(event(&frame(&[("Content-Type", "text/event-json")], "{}")), "RECV EVENT\n{}\n");
        assert_eq!(event(&frame(&[("Content-Type", "text/x")], "y")), "INCOMING DATA [text/x]\ny\n");
    }

    #[test]
    fn endless_lines_are_cut() {
        let shown = LogView::default().line(&frame(&[], &"ž".repeat(MAX_SHOWN))).expect("shown");
        assert!(shown.ends_with(&format!("\n({MAX_SHOWN} more octets)\n")), "{}", &shown[shown.len() - 40..]);
    }
}
