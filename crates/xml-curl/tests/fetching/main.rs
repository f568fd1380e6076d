//! Questions to a web server: what is sent, what comes of the answers, what fails and how.

mod server;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chappe_config::{Diagnostics, Document, Section, XmlBinding, XmlQuery, parse_fragment};
use chappe_xml_curl::{GatewayBinding, XmlCurlSettings};
use server::{Server, refused_address};
use tokio::runtime::{Builder, Runtime};

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
}

/// A binding with these params besides the URL.
fn binding(runtime: &Runtime, url: &str, params: &[(&str, &str)]) -> Arc<GatewayBinding> {
    let params: String =
        params.iter().map(|(name, value)| format!("<param name=\"{name}\" value=\"{value}\"/>")).collect();
    let text = format!(
        "<document><section name=\"configuration\"><configuration name=\"xml_curl.conf\"><bindings><binding>\
         <param name=\"gateway-url\" value=\"{url}\"/>{params}</binding></bindings></configuration></section>\
         </document>"
    );
    let (document, mut d) = parse_fragment(&text, "xml_curl.conf.xml");
    let settings = XmlCurlSettings::read(&document, &mut d);
    assert!(d.is_empty(), "{d}");
    let settings = settings.bindings.into_iter().next().expect("a binding");
    GatewayBinding::new(settings, "node", runtime.handle().clone()).expect("a binding")
}

fn query(section: Section, params: &[(&str, &str)]) -> Arc<XmlQuery> {
    let params = params.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let nothing = String::new;
    Arc::new(XmlQuery { section, tag_name: nothing(), key_name: nothing(), key_value: nothing(), params })
}

fn chatplan() -> Arc<XmlQuery> {
    query(Section::Chatplan, &[("from", "1000@d"), ("to", "1001@d")])
}

fn fetched(runtime: &Runtime, binding: &GatewayBinding, query: Arc<XmlQuery>) -> Option<Arc<Document>> {
    runtime.block_on(binding.fetch(query))
}

/// Whether the page is a plan.
fn has_plan(path: &str, params: &[(&str, &str)]) -> bool {
    let (runtime, server) = (runtime(), Server::start());
    let found = fetched(&runtime, &binding(&runtime, &server.url(path), params), chatplan());
    found.is_some_and(|document| document.section("chatplan").is_some())
}

#[test]
fn the_fields_are_posted_or_stand_in_the_url() {
    let (runtime, server) = (runtime(), Server::start());
    let fields = "hostname=node&section=chatplan&tag_name=&key_name=&key_value=&from=1000%40d&to=1001%40d";
    assert!(fetched(&runtime, &binding(&runtime, &server.url("/plan"), &[]), chatplan()).is_some());
    let get = binding(&runtime, &server.url("/plan?a=b"), &[("method", "GET"), ("enable-post-var", "to")]);
    assert!(fetched(&runtime, &get, chatplan()).is_some());
    let asked = server.asked();
    let form = "application/x-www-form-urlencoded";
    assert_eq!((&*asked[0].start, &*asked[0].content_type, &*asked[0].body), ("POST /plan", form, fields));
    let start = "GET /plan?a=b&hostname=node&section=chatplan&tag_name=&key_name=&key_value=&to=1001%40d";
    assert_eq!((&*asked[1].start, &*asked[1].body), (start, ""));
}

#[test]
fn answers_that_are_plans() {
    for path in ["/plan", "/moved"] {
        assert!(has_plan(path, &[]), "{path}");
    }
    assert!(has_plan("/${section_dir}pl${nobody}an", &[("use-dynamic-url", "true")]));
}

#[test]
fn answers_that_are_none() {
    let paths =
        ["/not-found", "/missing", "/error", "/cut", "/broken-off", "/loop", "/huge", "/endless", "/user"];
    for path in paths {
        assert!(!has_plan(path, &[]), "{path}");
    }
    assert!(has_plan("/plan", &[("response-max-bytes", "500")]));
    assert!(!has_plan("/plan", &[("response-max-bytes", "50")]));
}

#[test]
fn a_server_that_is_down_is_no_answer() {
    let runtime = runtime();
    let address: SocketAddr = refused_address();
    assert!(fetched(&runtime, &binding(&runtime, &format!("http://{address}/"), &[]), chatplan()).is_none());
}

#[test]
fn a_silent_server_is_given_up() {
    let started = Instant::now();
    assert!(!has_plan("/silent", &[("timeout", "1")]));
    assert!(started.elapsed() >= Duration::from_secs(1));
}

#[test]
fn a_question_waits_for_its_turn() {
    let (runtime, server) = (runtime(), Server::start());
    let one = binding(&runtime, &server.url("/silent"), &[("timeout", "1"), ("max-requests", "1")]);
    let both = [one.fetch(chatplan()), one.fetch(chatplan())];
    // The first one waits for its answer until its second is over, and holds the only place meanwhile.
    while server.asked().is_empty() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    std::thread::sleep(std::time::Duration::from_millis(300));
    assert_eq!(server.asked().len(), 1, "the second one waits for its turn");
    runtime.block_on(async {
        for waiting in both {
            assert!(waiting.await.is_none());
        }
    });
}

#[test]
fn passwords_are_shown_as_the_scheme_says() {
    let login = ("gateway-credentials", "user:pass");
    for (path, scheme, expected) in [
        ("/basic", "basic", true),
        ("/basic", "any", true),
        ("/basic", "digest", false),
        ("/digest", "digest", true),
        ("/digest", "any", true),
        ("/digest256", "=digest", true),
        ("/digest", "basic", false),
    ] {
        let (runtime, server) = (runtime(), Server::start());
        let binding = binding(&runtime, &server.url(path), &[login, ("auth-scheme", scheme)]);
        let found = fetched(&runtime, &binding, chatplan()).is_some();
        assert_eq!(found, expected, "{path} {scheme}");
        let shown = server.asked().iter().any(|asked| asked.authorization.starts_with("Basic"));
        assert!(!(shown && scheme.contains("digest")), "{path} {scheme}");
    }
    assert!(!has_plan("/basic", &[]));
}

#[test]
fn a_nonce_serves_many_requests() {
    let (runtime, server) = (runtime(), Server::start());
    let params = [("gateway-credentials", "user:pass"), ("auth-scheme", "digest")];
    let binding = binding(&runtime, &server.url("/digest"), &params);
    for _ in 0..3 {
        assert!(fetched(&runtime, &binding, chatplan()).is_some());
    }
    let asked = server.asked();
    assert_eq!(asked.len(), 4, "one challenge, three answers");
    for (number, asked) in asked.iter().enumerate().skip(1) {
        assert!(asked.authorization.contains(&format!("nc={number:08x}")), "{asked:?}");
        assert!(asked.body.contains("from=1000%40d"), "{asked:?}");
    }
}

/// How often a server was asked for one user in these rounds, with a flush after the first.
fn questions(path: &str, params: &[(&str, &str)], flush: bool) -> usize {
    let (runtime, server) = (runtime(), Server::start());
    let binding = binding(&runtime, &server.url(path), params);
    for nonce in ["a", "b", "c"] {
        let params = [("action", "sip_auth"), ("user", "u"), ("domain", "d"), ("sip_auth_nonce", nonce)];
        let found = fetched(&runtime, &binding, query(Section::Directory, &params));
        assert_eq!(found.is_some(), matches!(path, "/user" | "/kept"), "{path}");
        if flush && nonce == "a" {
            assert_eq!(binding.flush(None), 1, "{path}");
        }
    }
    server.asked().len()
}

#[test]
fn a_user_is_asked_for_once_in_a_while() {
    assert_eq!(questions("/user", &[], false), 1);
    assert_eq!(questions("/not-found", &[], false), 1);
    assert_eq!(questions("/error", &[], false), 1);
    assert_eq!(questions("/user", &[], true), 2);
    assert_eq!(questions("/user", &[("cache-time", "0")], false), 3);
    assert_eq!(questions("/not-found", &[("cache-not-found-time", "0")], false), 3);
    assert_eq!(questions("/kept", &[("cache-time", "0")], false), 1);
}

#[test]
fn a_chatplan_is_asked_for_each_time() {
    let (runtime, server) = (runtime(), Server::start());
    let binding = binding(&runtime, &server.url("/plan"), &[]);
    for _ in 0..2 {
        assert!(fetched(&runtime, &binding, chatplan()).is_some());
    }
    assert_eq!(server.asked().len(), 2);
}

#[test]
fn files_that_can_not_be_read_are_an_error_at_once() {
    let runtime = runtime();
    let url = "https://127.0.0.1:1/";
    for params in [
        &[("ssl-cacert-file", "/missing.pem")][..],
        &[("ssl-cert-path", "/missing.pem"), ("ssl-key-path", "/missing.key")],
    ] {
        let text: String = params
            .iter()
            .map(|(name, value)| format!("<param name=\"{name}\" value=\"{value}\"/>"))
            .collect();
        let text = format!(
            "<document><section name=\"configuration\"><configuration name=\"xml_curl.conf\"><bindings><binding>\
             <param name=\"gateway-url\" value=\"{url}\"/>{text}</binding></bindings></configuration></section>\
             </document>"
        );
        let settings = XmlCurlSettings::read(&parse_fragment(&text, "x").0, &mut Diagnostics::new());
        let made = GatewayBinding::new(settings.bindings[0].clone(), "node", runtime.handle().clone());
        let error = made.err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.contains("failed to read /missing"), "{error}");
    }
}
