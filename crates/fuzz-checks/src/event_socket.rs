use std::sync::Arc;

use chappe_event::{Event, EventName};
use chappe_event_socket::Account;
use chappe_event_socket::command::{Command, Limits, ParseError, Parser};
use chappe_event_socket::session::{Output, Session};

/// An event socket client's octets: the same commands wherever the stream is cut, and a session that takes any of them.
pub fn event_socket(input: &[u8]) {
    let Some((&size, stream)) = input.split_first() else { return };
    let limits = Limits { head: 2000, body: 4000 };
    let whole = commands(limits, std::iter::once(stream));
    let pieces = commands(limits, stream.chunks(usize::from(size) % 64 + 1));
    if whole.1.is_none() && pieces.1.is_none() {
        assert_eq!(whole, pieces);
    }
    let mut session = session();
    let event = Event::new(EventName::Message);
    for command in &whole.0 {
        let before = !session.is_authenticated();
        let mut outputs = Vec::new();
        session.handle(command, &mut outputs);
        let welcome = outputs.iter().any(|output| matches!(output, Output::Authenticated));
        outputs.iter().for_each(|output| look(output, before && !welcome));
        if outputs.iter().any(|output| matches!(output, Output::Close(_))) {
            break;
        }
        let _ = session.subscription.passes(&event);
    }
}

type Found = (Vec<Command>, Option<ParseError>);

fn commands<'a>(limits: Limits, reads: impl Iterator<Item = &'a [u8]>) -> Found {
    let mut parser = Parser::new(limits);
    let mut found = Vec::new();
    for read in reads {
        parser.push(read);
        loop {
            match parser.take() {
                Ok(None) => break,
                Ok(Some(command)) => found.push(command),
                Err(error) => return (found, Some(error)),
            }
        }
    }
    (found, None)
}

fn session() -> Session {
    let account = Account {
        password: Some("pw".to_owned()),
        events: Some("MESSAGE CUSTOM a::b".to_owned()),
        api: Some("status,eval".to_owned()),
        log: true,
    };
    Session::new("pw".into(), Box::new(|| "uuid".to_owned()))
        .with_accounts(Arc::new(move |_, _| Some(account.clone())))
}

/// What holds whatever the client says.
fn look(output: &Output, before: bool) {
    let frame = match output {
        Output::Reply(frame) | Output::Close(frame) => frame,
        Output::Api { .. } | Output::Job { .. } | Output::Fire(_) | Output::Subscribed | Output::Log(_) => {
            assert!(!before, "nobody who has not said the password brings about anything");
            return;
        }
        _ => return,
    };
    let text = String::from_utf8_lossy(frame);
    let (head, _) = text.split_once("\n\n").expect("a frame has a blank line");
    assert!(!head.contains('\r'), "nothing a client says ends a header line: {head:?}");
    assert!(head.lines().all(|line| line.contains(": ")), "each line is a header: {head:?}");
}
