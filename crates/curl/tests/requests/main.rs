//! Requests to a server on this machine.

mod server;
mod tls;

use std::sync::Arc;
use std::time::{Duration, Instant};

use chappe_curl::{Answer, Curl, CurlError, CurlSettings, Request};
use server::{Server, refused_address};
use tokio::runtime::Runtime;

struct Asker {
    runtime: Runtime,
    curl: Arc<Curl>,
}

impl Asker {
    fn new(settings: CurlSettings) -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let curl = Curl::new(settings, runtime.handle().clone());
        Self { runtime, curl }
    }

    fn answer(&self, line: &str) -> Answer {
        let request = Request::parse(line).expect("a request");
        let answer = self.curl.request(request).expect("a free place");
        self.runtime.block_on(answer)
    }

    fn text(&self, line: &str) -> String {
        let form = Request::parse(line).expect("a request").form;
        self.answer(line).text(form)
    }
}

fn asker() -> Asker {
    Asker::new(CurlSettings::default())
}

#[test]
fn methods_carry_data() {
    let server = Server::start();
    let asker = asker();
    let url = server.url("/echo?a=b&c=d");
    for (words, start, content_type, body) in [
        ("", "GET", "-", ""),
        ("get", "GET", "-", ""),
        ("post a=1&b=%26%20c", "POST", "application/x-www-form-urlencoded", "a=1&b=& c"),
        ("content-type application/json post '{\"a\": 1}'", "POST", "application/json", "{\"a\": 1}"),
        ("put žluť", "PUT", "-", "žluť"),
        ("content-type text/plain put x", "PUT", "text/plain", "x"),
        ("patch p", "PATCH", "application/x-www-form-urlencoded", "p"),
        ("delete d", "DELETE", "application/x-www-form-urlencoded", "d"),
    ] {
        let expected = format!("{start} /echo?a=b&c=d\n{content_type}\n{body}");
        assert_eq!(asker.text(&format!("{url} {words}")), expected, "{words}");
    }
}

#[test]
fn headers_of_ones_own() {
    let server = Server::start();
    let url = server.url("/header");
    assert_eq!(asker().text(&format!("{url} append_headers X-Test:one append_headers 'X-Test: two'")), "two");
    assert_eq!(asker().answer(&format!("{url} append_headers nonsense")).exit_code, 43);
}

#[test]
fn forms() {
    let server = Server::start();
    let asker = asker();
    let head = "HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\n\n";
    let url = server.url("/missing");
    assert_eq!(asker.text(&url), "gone");
    assert_eq!(asker.text(&format!("{url} headers")), format!("{head}gone"));
    assert_eq!(asker.text(&format!("{url} head")), "");
    assert_eq!(asker.text(&format!("{url} headers head")), head);
    assert_eq!(
        asker.text(&format!("{url} json")),
        concat!(
            r#"{"exit_code":"0","status_code":"404","body":"gone","version":"HTTP/1.1","phrase":"Not Found","#,
            r#""headers":[{"key":"Content-Type","value":"text/plain"},{"key":"Content-Length","value":"4"}]}"#
        )
    );
}

#[test]
fn redirects_end() {
    let server = Server::start();
    let asker = asker();
    let answer = asker.answer(&format!("{} post x", server.url("/redirect/3")));
    // A POST becomes a GET, RFC 9110 §15.4.3.
    assert_eq!((answer.status(), answer.body.as_str()), (200, "GET /echo\n-\n"));
    let answer = asker.answer(&server.url("/redirect/11"));
    assert_eq!((answer.exit_code, answer.status()), (47, 0));
    let answer = asker.answer(&server.url("/to-file"));
    assert_eq!((answer.exit_code, answer.status(), answer.body.as_str()), (1, 302, ""));
}

#[test]
fn a_silent_server_is_given_up() {
    let server = Server::start();
    let start = Instant::now();
    let answer = asker().answer(&format!("{} timeout 1", server.url("/silent")));
    assert_eq!((answer.exit_code, answer.status()), (28, 0));
    assert!(start.elapsed() < Duration::from_secs(10));
    let settings = CurlSettings { timeout: Duration::from_millis(200), ..CurlSettings::default() };
    // The head has come, the body never ends.
    let answer = Asker::new(settings).answer(&server.url("/endless-pause"));
    assert_eq!((answer.exit_code, answer.status(), answer.body.as_str()), (28, 200, ""));
}

#[test]
fn a_body_has_a_limit() {
    let server = Server::start();
    let asker = Asker::new(CurlSettings { max_bytes: 10_000, ..CurlSettings::default() });
    let answer = asker.answer(&server.url("/body/10000"));
    assert_eq!((answer.exit_code, answer.body.len()), (0, 10_000));
    let answer = asker.answer(&server.url("/body/10001"));
    assert_eq!((answer.exit_code, answer.status(), answer.body.len()), (23, 200, 0));
}

#[test]
fn what_can_not_be_reached() {
    let asker = asker();
    let refused = format!("http://{}/", refused_address());
    assert_eq!(asker.text(&refused), "");
    assert_eq!(asker.text(&format!("{refused} json")), r#"{"exit_code":"7","status_code":"0","headers":[]}"#);
    assert_eq!(asker.answer("file:///etc/passwd").exit_code, 1);
    assert_eq!(asker.answer("http://").exit_code, 3);
    let server = Server::start();
    let plain_for_tls = server.url("/echo").replacen("http", "https", 1);
    assert_eq!(asker.answer(&plain_for_tls).exit_code, 35);
}

#[test]
fn a_certificate_nobody_vouches_for_is_refused_unless_that_is_asked_for() {
    let server = tls::Server::start();
    let asker = asker();
    for (words, expected) in [
        // CURLE_PEER_FAILED_VERIFICATION
        ("", (60, 0, "")),
        ("insecure", (0, 200, "secret")),
        ("insecure secure", (60, 0, "")),
    ] {
        let answer = asker.answer(&format!("{} {words}", server.url()));
        assert_eq!((answer.exit_code, answer.status(), answer.body.as_str()), expected, "{words}");
    }
    let trusting = Asker::new(CurlSettings { validate_certs: false, ..CurlSettings::default() });
    assert_eq!(trusting.text(&server.url()), "secret");
    assert_eq!(trusting.answer(&format!("{} secure", server.url())).exit_code, 60);
}

#[test]
fn a_proxy_is_asked_instead() {
    let server = Server::start();
    let answer = asker().text(&format!("http://nowhere.invalid/x proxy {}", server.url("")));
    assert_eq!(answer, "GET http://nowhere.invalid/x\n-\n");
}

#[test]
fn requests_under_way_are_bounded() {
    let server = Server::start();
    let asker = Asker::new(CurlSettings { max_requests: 1, ..CurlSettings::default() });
    let waiting =
        asker.curl.request(Request::parse(&format!("{} timeout 1", server.url("/silent"))).expect("one"));
    let waiting = waiting.expect("a free place");
    let second = Request::parse(&server.url("/echo")).expect("two");
    assert!(matches!(asker.curl.request(second.clone()), Err(CurlError::Busy(1))));
    assert_eq!(asker.runtime.block_on(waiting).exit_code, 28);
    assert_eq!(asker.answer(&server.url("/body/2")).body, "xx");
}

#[test]
fn an_ended_runtime_answers_nothing() {
    let server = Server::start();
    let Asker { runtime, curl } = asker();
    runtime.shutdown_background();
    let answer =
        curl.request(Request::parse(&server.url("/echo")).expect("a request")).expect("a free place");
    let answer = Runtime::new().expect("a runtime").block_on(answer);
    assert_eq!((answer.exit_code, answer.status()), (42, 0));
}
