//! [`Event`]: what everything in the house speaks.

use std::borrow::Cow;
use std::fmt::{self, Write as _};
use std::sync::OnceLock;

use bytes::Bytes;

use crate::headers::{ARRAY_PREFIX, ARRAY_SEPARATOR, Headers};
use crate::number::{is_true, leading_number};
use crate::{EventName, Name, Value, header};

/// The highest element that `name[index]` may set; FreeSWITCH switch_event.c switch_event_base_add_header.
const MAX_INDEX: i32 = 4000;

/// Where a new header, or a new element of one, goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Top,
    Bottom,
    Push,
    Unshift,
}

/// Ordered headers and a body.
///
/// Header names are compared without regard to case and may be there more than once, but on events whose
/// headers are unique ([`EventName::Message`] is one): there, adding a header replaces the one of its name, at
/// the bottom. No header is empty: adding an empty value removes the header. Values are text; the body is exact
/// octets. All of this is how FreeSWITCH's `switch_event.c` has it.
#[derive(Clone)]
pub struct Event {
    name: EventName,
    unique: bool,
    no_chat_exec: bool,
    /// Copies and replies made of it so far.
    copies: u32,
    is_request: bool,
    headers: Headers,
    body: Option<Bytes>,
    /// The body as text, made when somebody asks for it and it isn't UTF-8.
    lossy_body: OnceLock<Box<str>>,
}

impl Event {
    /// An event without headers; those that every event has are added by [`Bus::prepare`](crate::Bus::prepare),
    /// or by [`Bus::fire`](crate::Bus::fire).
    pub fn new(name: EventName) -> Self {
        // A MESSAGE event has some 35 headers of about 900 octets: they shall find room at once. Of what is larger than a kilobyte
        // allocators have the next power of two at hand.
        let headers = match name {
            EventName::Message => Headers::with_capacity(2048, 51),
            _ => Headers::with_capacity(512, 20),
        };
        Self::with_headers(name, headers)
    }

    fn with_headers(name: EventName, headers: Headers) -> Self {
        Self {
            name,
            unique: name.has_unique_headers(),
            no_chat_exec: false,
            copies: 0,
            is_request: false,
            headers,
            body: None,
            lossy_body: OnceLock::new(),
        }
    }

    /// A CUSTOM event of the given `Event-Subclass`, for instance `SMS::SEND_MESSAGE`.
    pub fn custom(subclass: &str) -> Self {
        let mut event = Self::new(EventName::Custom);
        event.set_subclass(subclass);
        event
    }

    /// What kind of event this is.
    pub fn name(&self) -> EventName {
        self.name
    }

    /// Makes this an event of another name. The headers, `Event-Name` too, and whether they are unique stay.
    pub fn set_name(&mut self, name: EventName) {
        self.name = name;
    }

    /// The `Event-Subclass` of a CUSTOM event.
    pub fn subclass(&self) -> Option<&str> {
        match self.name {
            EventName::Custom => self.get(header::EVENT_SUBCLASS),
            _ => None,
        }
    }

    /// Sets `Event-Subclass`, which listeners see as the first header.
    pub fn set_subclass(&mut self, subclass: &str) {
        self.headers.remove(header::EVENT_SUBCLASS);
        self.place(Place::Top, header::EVENT_SUBCLASS.into(), subclass);
    }

    /// The value of the first header called `name`.
    ///
    /// `_body` is the body when no header has that name; bytes that are not UTF-8 are U+FFFD then. An array is
    /// `ARRAY::one|:two`. `name[2]` is the third element of an array.
    /// FreeSWITCH switch_event.c switch_event_get_header_idx.
    #[inline]
    pub fn get(&self, name: &str) -> Option<&str> {
        match self.headers.find(name) {
            Some(at) => Some(self.headers.value(at)),
            None => self.get_special(name),
        }
    }

    /// What is no header by that name, and yet has a value.
    fn get_special(&self, name: &str) -> Option<&str> {
        if name == header::BODY {
            return self.body_str();
        }
        let (bare, index) = name.strip_suffix(']')?.split_once('[')?;
        self.element(bare, usize::try_from(leading_number(index)).ok()?)
    }

    /// Element number `index`, from 0, of the array called `name`; `None` if it is no array.
    ///
    /// `_body` is the body, whatever the index.
    pub fn element(&self, name: &str, index: usize) -> Option<&str> {
        match self.headers.find(name) {
            Some(at) => self.headers.element(at, index),
            None if name == header::BODY => self.body_str(),
            None => None,
        }
    }

    /// Whether the header says yes, in the sense of [`is_true`](crate::is_true); no header says no.
    #[inline]
    pub fn is_true(&self, name: &str) -> bool {
        self.get(name).is_some_and(is_true)
    }

    /// The headers in order, without the body.
    pub fn headers(&self) -> impl ExactSizeIterator<Item = (&str, Value<'_>)> {
        self.headers.iter()
    }

    /// The headers whose names begin with `prefix`, in order.
    pub fn headers_named(&self, prefix: &str) -> impl Iterator<Item = (&str, Value<'_>)> {
        self.headers.named(prefix)
    }

    /// Adds a header at the bottom.
    ///
    /// An empty value removes the headers of that name instead. `_body` sets the body as well. `name[2]` sets
    /// one element of an array, up to number 4000; `ARRAY::one|:two` makes an array, or adds to one.
    /// FreeSWITCH switch_event.c switch_event_base_add_header; Deviation: the joined form of an array follows
    /// when an element is replaced.
    pub fn add<'n>(&mut self, name: impl Into<Name<'n>>, value: impl AsRef<str>) {
        self.place(Place::Bottom, name.into(), value.as_ref());
    }

    /// [`add`](Self::add) of a value that is written straight into the event, a number for instance.
    pub fn add_display<'n>(&mut self, name: impl Into<Name<'n>>, value: impl fmt::Display) {
        let name = name.into();
        if self.unique {
            self.headers.remove(name.as_str());
        }
        self.headers.push_written(name, |text| {
            write!(text, "{value}").expect("writing to a String fails only when a Display of ours does");
        });
    }

    /// [`add`](Self::add) of a number.
    pub fn add_number<'n>(&mut self, name: impl Into<Name<'n>>, value: i64) {
        self.place(Place::Bottom, name.into(), itoa::Buffer::new().format(value));
    }

    /// Adds a header at the bottom that the event does not have yet, made of these pieces; none if they are empty. It is
    /// not looked for, and what [`add`](Self::add) would take for an array is a text.
    pub fn append(&mut self, name: &'static str, pieces: &[&str]) {
        if pieces.iter().any(|piece| !piece.is_empty()) {
            self.append_written(name, |text| pieces.iter().for_each(|piece| text.push_str(piece)));
        }
    }

    /// [`append`](Self::append) of what `write` appends to the text it is given, which must not be nothing.
    pub fn append_written(&mut self, name: &'static str, write: impl FnOnce(&mut String)) {
        debug_assert!(self.headers.find(name).is_none(), "{name} is there");
        self.headers.push_written(name.into(), write);
    }

    /// [`add`](Self::add) at the top.
    pub fn add_top<'n>(&mut self, name: impl Into<Name<'n>>, value: impl AsRef<str>) {
        self.place(Place::Top, name.into(), value.as_ref());
    }

    /// Removes all headers of that name, then adds this one at the bottom.
    pub fn set<'n>(&mut self, name: impl Into<Name<'n>>, value: impl AsRef<str>) {
        let name = name.into();
        self.headers.remove(name.as_str());
        self.place(Place::Bottom, name, value.as_ref());
    }

    /// Adds an element at the end of an array; a header that was none becomes one.
    pub fn push<'n>(&mut self, name: impl Into<Name<'n>>, value: impl AsRef<str>) {
        self.place(Place::Push, name.into(), value.as_ref());
    }

    /// Adds an element at the start of an array; a header that was none becomes one.
    pub fn unshift<'n>(&mut self, name: impl Into<Name<'n>>, value: impl AsRef<str>) {
        self.place(Place::Unshift, name.into(), value.as_ref());
    }

    /// Removes all headers of that name; whether there was one.
    pub fn remove(&mut self, name: &str) -> bool {
        self.headers.remove(name)
    }

    /// Adds all headers of `other`. FreeSWITCH switch_event.c switch_event_merge.
    pub fn merge(&mut self, other: &Event) {
        for (name, value) in other.headers() {
            self.add_value(name, value);
        }
    }

    /// The event of an answer: sender and recipient change places, and no body yet.
    ///
    /// `from` and `to` and all `from_...` and `to_...` headers swap their names; `replying` is `true`, and
    /// `orig_body` holds the body. FreeSWITCH switch_event.c switch_event_dup_reply.
    pub fn reply(&self) -> Event {
        let body = self.body.as_ref().map_or(0, Bytes::len);
        let mut reply = Self::with_headers(self.name, self.headers.room_for_copy(body));
        reply.unique = self.unique;
        reply.no_chat_exec = self.no_chat_exec;
        let mut room = String::new();
        for (name, value) in self.headers().filter(|(name, _)| !is_of_one_message(name)) {
            let name = swapped(name, &mut room);
            match value {
                // Different names stay different, so that what is there once needs not be looked for.
                Value::Text(text) if self.unique && !text.is_empty() && name != header::BODY => {
                    reply.headers.push(Name::copied(name), text);
                }
                _ => reply.add_value(name, value),
            }
        }
        reply.add(header::REPLYING, "true");
        reply.add(header::ORIG_BODY, self.body_text());
        reply
    }

    /// The body; `None` and an empty body are different things.
    pub fn body(&self) -> Option<&Bytes> {
        self.body.as_ref()
    }

    /// Sets or removes the body.
    pub fn set_body(&mut self, body: Option<Bytes>) {
        self.body = body;
        self.lossy_body = OnceLock::new();
    }

    /// The body as text, empty without one; octets that are not UTF-8 are U+FFFD.
    pub fn body_text(&self) -> Cow<'_, str> {
        Cow::Borrowed(self.body_str().unwrap_or(""))
    }

    /// Says that it is a request that somebody made and may make again, not what a program made of its headers.
    pub fn set_request(&mut self) {
        self.is_request = true;
    }

    pub fn is_request(&self) -> bool {
        self.is_request
    }

    /// Counts one more copy or reply made of this event: 1 for the first.
    pub fn count_copy(&mut self) -> u32 {
        self.copies = self.copies.saturating_add(1);
        self.copies
    }

    /// Whether chatplan apps are refused for this event (FreeSWITCH's EF_NO_CHAT_EXEC).
    pub fn no_chat_exec(&self) -> bool {
        self.no_chat_exec
    }

    /// Forbids chatplan apps for this event.
    pub fn set_no_chat_exec(&mut self) {
        self.no_chat_exec = true;
    }

    /// Whether adding a header replaces the one of its name.
    pub fn has_unique_headers(&self) -> bool {
        self.unique
    }

    /// An event without headers, to be built as it once was, header by header, by [`restore_text`](Self::restore_text)
    /// and [`restore_array`](Self::restore_array).
    pub fn bare(name: EventName, unique_headers: bool) -> Self {
        Self { unique: unique_headers, ..Self::new(name) }
    }

    /// Adds a header at the bottom as [`headers`](Self::headers) once gave it: none of the rules of [`add`](Self::add)
    /// applies.
    pub fn restore_text(&mut self, name: &str, value: &str) {
        self.headers.push(Name::copied(name), value);
    }

    /// [`restore_text`](Self::restore_text) for an array.
    pub fn restore_array<'v>(&mut self, name: &str, elements: impl IntoIterator<Item = &'v str>) {
        self.headers.push_array(Name::copied(name), elements);
    }

    /// Moves the last `count` headers to the top, keeping their order.
    pub(crate) fn lift_last(&mut self, count: usize) {
        self.headers.move_last_to(0, count);
    }

    fn body_str(&self) -> Option<&str> {
        let body = self.body.as_ref()?;
        Some(match std::str::from_utf8(body) {
            Ok(text) => text,
            Err(_) => self.lossy_body.get_or_init(|| String::from_utf8_lossy(body).into()),
        })
    }

    fn add_value(&mut self, name: &str, value: Value<'_>) {
        match value {
            Value::Text(text) => self.place(Place::Bottom, Name::copied(name), text),
            Value::Array(array) => {
                array.iter().for_each(|element| self.place(Place::Push, Name::copied(name), element));
            }
        }
    }

    fn place(&mut self, place: Place, name: Name<'_>, value: &str) {
        if name.as_str() == header::BODY {
            self.set_body(Some(Bytes::copy_from_slice(value.as_bytes())));
        }
        if let Some((bare, index)) = name.as_str().split_once('[') {
            return self.put_element(bare, leading_number(index), value);
        }
        let grows = matches!(place, Place::Push | Place::Unshift);
        if grows && let Some(at) = self.headers.find(name.as_str()) {
            return self.headers.insert_element(at, place == Place::Unshift, value);
        }
        if value.is_empty() || self.unique {
            self.headers.remove(name.as_str());
        }
        if value.is_empty() {
            return;
        }
        if let Some(elements) = value.strip_prefix(ARRAY_PREFIX) {
            return self.add_elements(name, elements);
        }
        self.headers.push(name, value);
        match place {
            Place::Top => self.headers.move_last_to(0, 1),
            Place::Bottom => {}
            Place::Push | Place::Unshift => self.headers.put_element(self.headers.len() - 1, 0, value),
        }
    }

    fn add_elements(&mut self, name: Name<'_>, elements: &str) {
        if !elements.is_empty() {
            elements.split(ARRAY_SEPARATOR).for_each(|element| self.place(Place::Push, name, element));
        }
    }

    fn put_element(&mut self, name: &str, index: i32, value: &str) {
        let Some(index) = usize::try_from(index).ok().filter(|_| index <= MAX_INDEX) else { return };
        let at = self.headers.find(name).unwrap_or_else(|| {
            self.headers.push(Name::copied(name), "");
            self.headers.len() - 1
        });
        self.headers.put_element(at, index, value);
    }
}

/// What is said of a message and does not hold for the reply to it.
fn is_of_one_message(name: &str) -> bool {
    use header::{DATE, DEFERRED_DELIVERY, DELIVER_AT, EXPIRES, MESSAGE_ID};
    [MESSAGE_ID, EXPIRES, DATE, DEFERRED_DELIVERY, DELIVER_AT]
        .iter()
        .any(|own| own.eq_ignore_ascii_case(name))
}

/// The name that a header has in a reply; `room` holds it where it is a new one.
fn swapped<'n>(name: &'n str, room: &'n mut String) -> &'n str {
    let part = |prefix: &str| {
        let start = name.get(..prefix.len())?;
        start.eq_ignore_ascii_case(prefix).then(|| &name[prefix.len()..])
    };
    let (prefix, rest) = match (part("from_"), part("to_")) {
        (Some(rest), _) => ("to_", rest),
        (_, Some(rest)) => ("from_", rest),
        _ if name.eq_ignore_ascii_case(header::TO) => return header::FROM,
        _ if name.eq_ignore_ascii_case(header::FROM) => return header::TO,
        _ => return name,
    };
    room.clear();
    room.push_str(prefix);
    room.push_str(rest);
    room
}

impl PartialEq for Event {
    /// Same name, same headers in the same order, same body.
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
            && self.body == other.body
            && self
                .headers()
                .map(|(name, value)| (name, value.as_str()))
                .eq(other.headers().map(|(n, v)| (n, v.as_str())))
    }
}

impl Eq for Event {}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headers: Vec<_> = self.headers().map(|(name, value)| (name, value.as_str())).collect();
        f.debug_struct("Event")
            .field("name", &self.name)
            .field("headers", &headers)
            .field("body", &self.body)
            .finish_non_exhaustive()
    }
}
