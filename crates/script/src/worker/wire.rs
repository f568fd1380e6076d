//! What server and worker say to each other: frames of values.
//!
//! A frame is its length (four octets, the highest first), a letter that says what it is, and values. A value is a letter
//! and what it needs; texts and lists say how long they are. It is not JSON because texts are octets that need not be
//! UTF-8, and because Perl's own JSON is slow; with lengths nothing is looked for and nothing escaped.

use std::io::{self, Read, Write};

use bytes::{BufMut, Bytes};
use chappe_event::Event;

use crate::{Handle, Object, Value};

/// No frame is longer, in either direction.
pub(super) const MOST: usize = 16 << 20;
/// Lists may hold lists so deep.
const DEPTH: usize = 8;

/// What the server says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Order {
    /// Run a script.
    Run = b'R' as isize,
    /// What a call gives.
    Value = b'V' as isize,
    /// Why a call fails.
    Error = b'X' as isize,
}

/// What a worker says.
#[derive(PartialEq, Debug)]
pub(super) enum Said {
    /// It is there: the interpreter's version.
    Hello(String),
    /// It can't work with this interpreter, and why.
    Unfit(String),
    /// Call a function; the answer is waited for, unless it is a post.
    Call { object: Object, name: String, args: Vec<Value>, post: bool },
    /// Give all headers and the body of an event.
    Read(Handle),
    /// The script needs the object no more.
    Release(Handle),
    /// The script has ended.
    Done,
    /// The script has failed: the error in the language's words.
    Failed(String),
}

/// Why a frame can't be understood.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub(super) enum WireError {
    #[error("a frame of {0} octets")]
    TooLong(usize),
    #[error("a frame that ends too early")]
    Short,
    #[error("a value or frame of the unknown kind {0}")]
    Kind(u8),
    #[error("lists in lists in lists")]
    Deep,
    #[error("a frame that is not what it should be")]
    Shape,
}

/// Writes one frame.
pub(super) fn write(to: &mut impl Write, order: Order, values: &[Value]) -> io::Result<()> {
    let mut frame = vec![0; 4];
    frame.push(order as u8);
    for value in values {
        put(&mut frame, value);
    }
    let length = frame.len() - 4;
    let length = u32::try_from(length).ok().filter(|_| length <= MOST);
    let length = length.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "a frame is too long"))?;
    frame[..4].copy_from_slice(&length.to_be_bytes());
    to.write_all(&frame)
}

fn put(frame: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Nil => frame.push(b'N'),
        Value::Bool(true) => frame.push(b'T'),
        Value::Bool(false) => frame.push(b'F'),
        Value::Integer(number) => {
            frame.push(b'I');
            frame.put_i64(*number);
        }
        Value::Number(number) => {
            frame.push(b'D');
            frame.put_f64(*number);
        }
        Value::Text(text) => {
            frame.push(b'S');
            put_octets(frame, text);
        }
        Value::Object(handle) => {
            frame.push(b'O');
            put_octets(frame, handle.object.as_str().as_bytes());
            frame.put_u32(handle.id);
        }
        Value::Function => frame.push(b'C'),
        Value::List(values) => put_list(frame, b'L', values),
        Value::Several(values) => put_list(frame, b'M', values),
        Value::Record(columns) => {
            frame.push(b'R');
            frame.put_u32(count(columns.len()));
            for (name, value) in columns {
                put_octets(frame, name.as_bytes());
                put(frame, value);
            }
        }
    }
}

fn put_list(frame: &mut Vec<u8>, kind: u8, values: &[Value]) {
    frame.push(kind);
    frame.put_u32(count(values.len()));
    values.iter().for_each(|value| put(frame, value));
}

fn put_octets(frame: &mut Vec<u8>, octets: &[u8]) {
    frame.put_u32(count(octets.len()));
    frame.extend_from_slice(octets);
}

/// A length that does not fit makes the frame too long in any case.
fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

/// All there is to read of an event: its type, its headers as name, NUL, value, NUL and so on, its body. Workers keep it
/// until the script changes something, so that reading headers costs no call. FreeSWITCH's values are C strings: none of
/// them reaches past a NUL.
pub(super) fn event(event: &Event) -> Value {
    let mut headers = String::with_capacity(1536);
    for (name, value) in event.headers() {
        for text in [name, value.as_str()] {
            headers.push_str(text.split('\0').next().unwrap_or_default());
            headers.push('\0');
        }
    }
    let body = event.body().cloned().map_or(Value::Nil, Value::Text);
    Value::List(vec![event.name().as_str().into(), headers.into(), body])
}

/// Reads one frame's octets; `None` when the other side is gone.
pub(super) fn read(from: &mut impl Read) -> io::Result<Option<Bytes>> {
    let mut length = [0; 4];
    if !fill(from, &mut length)? {
        return Ok(None);
    }
    let length = u32::from_be_bytes(length) as usize;
    if length > MOST {
        return Err(io::Error::new(io::ErrorKind::InvalidData, WireError::TooLong(length)));
    }
    let mut frame = vec![0; length];
    Ok(fill(from, &mut frame)?.then(|| frame.into()))
}

/// Fills the buffer; false when the other side is gone before.
fn fill(from: &mut impl Read, buffer: &mut [u8]) -> io::Result<bool> {
    match from.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) if error.kind() == io::ErrorKind::ConnectionReset => Ok(false),
        Err(error) => Err(error),
    }
}

/// Understands a frame of a worker's.
pub(super) fn understand(frame: Bytes) -> Result<Said, WireError> {
    let mut rest = frame;
    let kind = take(&mut rest, 1)?[0];
    let mut values = Vec::new();
    while !rest.is_empty() {
        values.push(value(&mut rest, DEPTH)?);
    }
    said(kind, values)
}

fn said(kind: u8, mut values: Vec<Value>) -> Result<Said, WireError> {
    let text = |values: &[Value]| values.first().map(|text| text.text().into_owned());
    Ok(match (kind, values.first()) {
        (b'H', Some(_)) => Said::Hello(text(&values).unwrap_or_default()),
        (b'U', Some(_)) => Said::Unfit(text(&values).unwrap_or_default()),
        (b'E', Some(_)) => Said::Failed(text(&values).unwrap_or_default()),
        (b'D', None) => Said::Done,
        (b'G', Some(Value::Object(handle))) => Said::Read(*handle),
        (b'Z', Some(Value::Object(handle))) => Said::Release(*handle),
        (b'C' | b'P', Some(Value::Text(_))) if values.len() >= 2 => {
            let args = values.split_off(2);
            let object = Object::parse(&values[0].text()).ok_or(WireError::Shape)?;
            let name = values[1].text().into_owned();
            Said::Call { object, name, args, post: kind == b'P' }
        }
        (b'H' | b'U' | b'E' | b'D' | b'G' | b'Z' | b'C' | b'P', _) => return Err(WireError::Shape),
        _ => return Err(WireError::Kind(kind)),
    })
}

fn value(rest: &mut Bytes, depth: usize) -> Result<Value, WireError> {
    let depth = depth.checked_sub(1).ok_or(WireError::Deep)?;
    Ok(match take(rest, 1)?[0] {
        b'N' => Value::Nil,
        b'T' => Value::Bool(true),
        b'F' => Value::Bool(false),
        b'I' => Value::Integer(i64::from_be_bytes(array(rest)?)),
        b'D' => Value::Number(f64::from_be_bytes(array(rest)?)),
        b'S' => Value::Text(octets(rest)?),
        b'C' => Value::Function,
        b'O' => {
            let object = octets(rest)?;
            let object = std::str::from_utf8(&object).ok().and_then(Object::parse).ok_or(WireError::Shape)?;
            Value::Object(Handle { object, id: u32::from_be_bytes(array(rest)?) })
        }
        b'L' => {
            let count = u32::from_be_bytes(array(rest)?);
            // The count is the worker's word: nothing is set aside for it.
            let mut values = Vec::new();
            for _ in 0..count {
                values.push(value(rest, depth)?);
            }
            Value::List(values)
        }
        kind => return Err(WireError::Kind(kind)),
    })
}

fn octets(rest: &mut Bytes) -> Result<Bytes, WireError> {
    let length = u32::from_be_bytes(array(rest)?);
    take(rest, length as usize)
}

fn array<const N: usize>(rest: &mut Bytes) -> Result<[u8; N], WireError> {
    take(rest, N)?[..].try_into().map_err(|_| WireError::Short)
}

fn take(rest: &mut Bytes, count: usize) -> Result<Bytes, WireError> {
    if rest.len() < count { Err(WireError::Short) } else { Ok(rest.split_to(count)) }
}

#[cfg(test)]
mod tests {
    use chappe_event::EventName;

    use super::*;

    fn frame(kind: u8, values: &[Value]) -> Bytes {
        let mut frame = vec![kind];
        values.iter().for_each(|value| put(&mut frame, value));
        frame.into()
    }

    #[test]
    fn what_is_put_is_understood() {
        let handle = Handle { object: Object::Event, id: 7 };
        let args = vec![
            Value::Object(handle),
            Value::Nil,
            Value::Bool(true),
            Value::Bool(false),
            Value::Integer(-5),
            Value::Number(0.5),
            Value::Text(Bytes::from_static(b"\xff\0octets")),
            Value::Function,
            Value::List(vec![Value::Integer(1), Value::List(Vec::new())]),
        ];
        let mut values = vec!["Event".into(), "addHeader".into()];
        values.extend(args.clone());
        let (object, name) = (Object::Event, "addHeader".to_owned());
        let call = Said::Call { object, name, args, post: false };
        assert_eq!(understand(frame(b'C', &values)), Ok(call));
        assert_eq!(understand(frame(b'Z', &[Value::Object(handle)])), Ok(Said::Release(handle)));
        assert_eq!(understand(frame(b'D', &[])), Ok(Said::Done));
    }

    #[test]
    fn nonsense_is_an_error() {
        let deep = (0..20).fold(Value::Nil, |inner, _| Value::List(vec![inner]));
        let cases: [(Bytes, WireError); 9] = [
            (Bytes::new(), WireError::Short),
            (Bytes::from_static(b"?"), WireError::Kind(b'?')),
            (Bytes::from_static(b"E?"), WireError::Kind(b'?')),
            (Bytes::from_static(b"ES\0\0\0\x05abc"), WireError::Short),
            (Bytes::from_static(b"EL\xff\xff\xff\xff"), WireError::Short),
            (frame(b'E', &[deep]), WireError::Deep),
            (frame(b'D', &[Value::Nil]), WireError::Shape),
            (frame(b'C', &["Event".into()]), WireError::Shape),
            (frame(b'C', &["Nosuch".into(), "f".into()]), WireError::Shape),
        ];
        for (frame, error) in cases {
            assert_eq!(understand(frame.clone()), Err(error), "{frame:?}");
        }
    }

    #[test]
    fn a_frame_says_how_long_it_is() {
        let mut wire = Vec::new();
        write(&mut wire, Order::Value, &["text".into()]).unwrap();
        assert_eq!(wire, b"\0\0\0\x0aVS\0\0\0\x04text");
        let mut wire = &wire[..];
        assert_eq!(read(&mut wire).unwrap().as_deref(), Some(&b"VS\0\0\0\x04text"[..]));
        assert_eq!(read(&mut wire).unwrap(), None);
        assert_eq!(read(&mut &b"\0\0\0\x05V"[..]).unwrap(), None);
        let endless = read(&mut &b"\xff\xff\xff\xffV"[..]).unwrap_err();
        assert_eq!(endless.to_string(), "a frame of 4294967295 octets");
        let long = Value::Text(vec![0; MOST].into());
        assert!(write(&mut Vec::new(), Order::Run, &[long]).is_err());
    }

    #[test]
    fn an_event_is_its_type_headers_and_body() {
        let mut message = Event::new(EventName::Message);
        message.add("from", "1004@chat.test");
        message.add("odd", "before\0after");
        message.set_body(Some(Bytes::from_static(b"\xffhi")));
        let headers = "from\x001004@chat.test\0odd\0before\0";
        let body = Value::Text(Bytes::from_static(b"\xffhi"));
        assert_eq!(event(&message), Value::List(vec!["MESSAGE".into(), headers.into(), body]));
    }
}
