use chappe_sip_msg::{
    HeaderName, Limits, Message, NameAddr, RequestWriter, ResponseWriter, Via, auth_params, parse as read,
    parse_within, skim,
};

/// Any datagram: no panic; an answer to it is a message; what was read on the way through it is what is read of it one
/// header at a time; printed, it reads the same.
pub fn parse(datagram: &[u8]) {
    match read(datagram) {
        Ok(message) => {
            look_at(&message);
            read_once_as_read_alone(&message);
            if message.is_request() {
                let answer = answer(&message, 200);
                let read = read(&answer).expect("an answer to a good request is good");
                assert_eq!(read.call_id(), message.call_id());
                skimmed(datagram, &message);
                printed(&message);
            }
        }
        Err(error) => {
            error.message().into_iter().for_each(look_at);
            if let Some(request) = error.answerable() {
                answer(request, error.status());
            }
        }
    }
}

fn look_at(message: &Message<'_>) {
    for header in message.headers() {
        assert!(!header.text().contains(['\r', '\n']), "a value is one line");
        let _ = (auth_params(header.value).count(), Via::parse(header.value).is_ok());
        if let Ok(address) = NameAddr::parse(header.name, header.value) {
            let _ =
                (address.display_name(), address.tag(), address.q(), address.expires(), address.uri.aor());
        }
    }
    let _ = (message.method(), message.cseq().is_ok(), message.max_forwards(), message.expires());
    let _ = (message.vias().count(), message.contacts().count(), message.content_type().is_some());
}

/// What is kept of a message when it is parsed, against the plain way: find the line, split it, read the first value.
fn read_once_as_read_alone(message: &Message<'_>) {
    let kept = message.via().expect("a good message has a Via");
    let plain = message.vias().next().expect("a good message has a Via").expect("the first one is good");
    assert_eq!((kept.transport, kept.host, kept.port), (plain.transport, plain.host, plain.port));
    assert_eq!((kept.branch, kept.rport, kept.params), (plain.branch, plain.rport, plain.params));
    for (name, kept) in [(HeaderName::From, message.from()), (HeaderName::To, message.to())] {
        let line = message.headers().find(|line| line.name == name).expect("it is there");
        let plain = NameAddr::parse(name, line.value).expect("it is good");
        let kept = kept.expect("it is good");
        assert_eq!((kept.uri.text(), kept.tag()), (plain.uri.text(), plain.params.get("tag")));
    }
    let line = message.headers().find(|line| line.name == HeaderName::CSeq).expect("it is there");
    let words = line.text().into_owned();
    let (number, method) = words.split_once([' ', '\t']).expect("a number and a method");
    let kept = message.cseq().expect("it is good");
    assert_eq!(number.parse::<u64>().ok(), Some(u64::from(kept.number)));
    assert_eq!(method.trim_start().as_bytes(), kept.method.as_bytes());
}

fn answer(request: &Message<'_>, code: u16) -> Vec<u8> {
    let mut out = Vec::new();
    ResponseWriter::to(request, Some(([192, 0, 2, 1], 5060).into()), code, "", "tag", &mut out).finish();
    out
}

/// The answer of who only skims a request is that of who parses it.
fn skimmed(datagram: &[u8], message: &Message<'_>) {
    let Some(skim) = skim(datagram) else { return };
    let mut out = Vec::new();
    ResponseWriter::skimmed(&skim, Some(([192, 0, 2, 1], 5060).into()), 200, "", "tag", &mut out).finish();
    assert_eq!(out.escape_ascii().to_string(), answer(message, 200).escape_ascii().to_string());
}

/// Headers copied line by line into a new request are the same headers.
fn printed(message: &Message<'_>) {
    let mut out = Vec::new();
    let mut writer = RequestWriter::new(message.method(), message.uri_text(), &mut out);
    message.headers().filter(|line| line.name != HeaderName::ContentType).for_each(|line| {
        writer.copy(&line);
    });
    writer.body("x/y", message.body());
    // A folded line may become a little longer where white space is added after its colon.
    let wide = Limits { headers: 200, line: usize::from(u16::MAX) };
    let again = parse_within(&out, &wide).expect("what is printed can be read");
    assert_eq!(headers(&again), headers(message));
    assert_eq!((again.uri_text(), again.body()), (message.uri_text(), message.body()));
}

fn headers(message: &Message<'_>) -> Vec<(Vec<u8>, String)> {
    let passed_on = |name: &HeaderName| !matches!(name, HeaderName::ContentType | HeaderName::ContentLength);
    let lines = message.headers().filter(|line| passed_on(&line.name));
    lines.map(|line| (line.name_text.to_vec(), line.text().into_owned())).collect()
}
