//! Users whom others than the files know.

mod fixture;

use std::sync::Arc;

use chappe_config::{Document, Fetching, Section, XmlBinding, XmlQuery, parse_fragment};
use fixture::phone::{Phone, status};
use fixture::{DOMAIN, PASSWORD, Server, param};
use parking_lot::Mutex;
use tokio::sync::watch;

/// Knows the users whose names begin with a 3, and `slow` once it may answer.
struct Users {
    asked: Mutex<Vec<Arc<XmlQuery>>>,
    open: watch::Sender<bool>,
}

impl Users {
    fn of(server: &Server) -> Arc<Self> {
        let users = Arc::new(Self { asked: Mutex::default(), open: watch::Sender::new(false) });
        server.bindings.add(users.clone());
        users
    }

    fn count(&self) -> usize {
        self.asked.lock().len()
    }
}

impl XmlBinding for Users {
    fn module(&self) -> &'static str {
        "mod_test"
    }

    fn serves(&self, section: Section) -> bool {
        section == Section::Directory
    }

    fn fetch(&self, query: Arc<XmlQuery>) -> Fetching {
        let user = param_of(&query, "user").to_owned();
        self.asked.lock().push(query);
        let mut open = self.open.subscribe();
        Box::pin(async move {
            if user == "slow" {
                open.wait_for(|open| *open).await.ok()?;
            }
            (user == "slow" || user.starts_with('3')).then(|| document(&user))
        })
    }
}

fn param_of<'q>(query: &'q XmlQuery, wanted: &str) -> &'q str {
    query.params.iter().find(|(name, _)| name == wanted).map_or("", |(_, value)| value)
}

fn document(user: &str) -> Arc<Document> {
    let text = format!(
        "<document><section name=\"directory\"><domain name=\"{DOMAIN}\"><params>\
         <param name=\"password\" value=\"{PASSWORD}\"/></params><variables>\
         <variable name=\"user_context\" value=\"asked\"/></variables><groups><group name=\"g\"><users>\
         <user id=\"{user}\"/></users></group></groups></domain></section></document>"
    );
    Arc::new(parse_fragment(&text, "answer").0)
}

/// A REGISTER that shows credentials.
fn register(phone: &mut Phone) -> String {
    let (uri, to) = (format!("sip:{DOMAIN}"), format!("sip:{}@{DOMAIN}", phone.user));
    let contact = format!("Contact: <{}>\r\nExpires: 600\r\n", phone.contact());
    let challenge = phone.transact(&phone.request("REGISTER", &uri, &to, &contact, ""));
    let credentials = phone.credentials(&challenge, "REGISTER", &uri).expect("a challenge");
    phone.request("REGISTER", &uri, &to, &format!("{contact}{credentials}"), "")
}

#[test]
fn a_user_the_files_do_not_know_registers_and_sends() {
    let server = Server::with(&param("fire-message-events", "true"));
    let users = Users::of(&server);
    let (mut one, mut other) = (server.registered("3000"), server.registered("3001"));
    assert_eq!(users.count(), 2, "a challenge of MD5 is the same for everybody");
    let answer = one.message_while("3001", "hello", &mut [&mut other]);
    assert_eq!(status(&answer), 200);
    assert!(String::from_utf8_lossy(&other.receive()).ends_with("hello"));
    let seen = server.seen.0.lock();
    let received = seen.iter().find(|event| event.name().as_str() == "RECV_MESSAGE").expect("an event");
    assert_eq!(received.get("context"), Some("asked"));
}

#[test]
fn the_question_says_who_asks_for_whom() {
    let server = Server::with("");
    let users = Users::of(&server);
    let phone = server.registered("3000");
    let asked = users.asked.lock();
    let query = &asked[0];
    assert_eq!((&*query.tag_name, &*query.key_name, &*query.key_value), ("domain", "name", DOMAIN));
    let port = phone.addr().port().to_string();
    for (name, value) in [
        ("Event-Name", "REQUEST_PARAMS"),
        ("action", "sip_auth"),
        ("sip_profile", "internal"),
        ("sip_user_agent", "unknown"),
        ("sip_auth_username", "3000"),
        ("sip_auth_realm", DOMAIN),
        ("sip_auth_uri", "sip:chat.test"),
        ("sip_contact_user", "3000"),
        ("sip_to_user", "3000"),
        ("sip_via_protocol", "udp"),
        ("sip_auth_nc", "00000001"),
        ("sip_auth_method", "REGISTER"),
        ("client_port", &port),
        ("key", "id"),
        ("user", "3000"),
        ("domain", DOMAIN),
        ("ip", "127.0.0.1"),
    ] {
        assert_eq!(param_of(query, name), value, "{name}");
    }
    assert_eq!(param_of(query, "sip_auth_response").len(), 32);
}

#[test]
fn whom_nobody_else_knows_the_files_may() {
    let server = Server::with("");
    let users = Users::of(&server);
    assert_eq!(status(&server.phone("1000").register(600)), 200);
    assert_eq!(status(&server.phone("2000").register(600)), 401);
    let mut wrong = server.phone("3000");
    wrong.password = "wrong".to_owned();
    assert_eq!(status(&wrong.register(600)), 401);
    assert_eq!(users.count(), 3);
}

#[test]
fn where_sha_256_is_offered_the_challenge_depends_on_the_user() {
    let server = Server::with(&param("challenge-algorithms", "MD5,SHA-256"));
    let users = Users::of(&server);
    assert_eq!(status(&server.phone("3000").register(600)), 200);
    assert_eq!(users.count(), 2);
}

#[test]
fn a_slow_answer_holds_up_its_own_request_and_absorbs_retransmissions() {
    let server = Server::with(&param("shards", "1"));
    let users = Users::of(&server);
    let mut slow = server.phone("slow");
    let request = register(&mut slow);
    slow.send_raw(request.as_bytes());
    slow.send_raw(request.as_bytes());
    assert_eq!(status(&server.phone("3000").register(600)), 200);
    assert!(slow.is_quiet());
    assert_eq!(users.count(), 2);
    users.open.send_replace(true);
    assert_eq!(status(&slow.response_to(&request)), 200);
}

#[test]
fn too_many_that_wait_are_refused() {
    let server = Server::with(&param("shards", "1"));
    let _users = Users::of(&server);
    let mut slow = server.phone("slow");
    let request = register(&mut slow);
    let credentials = request.lines().find(|line| line.starts_with("Authorization")).expect("credentials");
    let mut refused = None;
    for number in 0..2000 {
        let to = format!("sip:slow@{DOMAIN}");
        let headers = format!("{credentials}\r\n");
        slow.send_raw(slow.request("REGISTER", "sip:chat.test", &to, &headers, "").as_bytes());
        if number % 16 == 0 {
            slow.pump(std::time::Duration::from_millis(1));
        }
        refused = slow.final_response();
        if refused.is_some() {
            break;
        }
    }
    assert_eq!(refused.map(|response| status(&response)), Some(503));
}

#[test]
fn a_user_of_another_name_of_ours_is_not_believed() {
    let server = Server::with("");
    let _users = Users::of(&server);
    for (host, expected) in [(DOMAIN, 202), ("127.0.0.1", 202), ("internal", 403), ("other.test", 403)] {
        let mut phone = server.phone("3000");
        phone.from = format!("<sip:3000@{host}>");
        assert_eq!(status(&phone.message("1001", "x")), expected, "{host}");
    }
}
