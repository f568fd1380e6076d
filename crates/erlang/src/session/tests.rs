//! What a node says, and what it is answered.

use chappe_event::EventName;
use eetf::{Atom, FixInteger, List, Reference, Tuple};

use super::*;

fn pid(id: u32) -> Pid {
    Pid { node: Atom::from("peer@host"), id, serial: 0, creation: 1 }
}

fn session() -> Session {
    let own = Pid { node: Atom::from("fs@host"), id: 9, serial: 0, creation: 1 };
    Session::new(own, Encoding::String, Box::new(|| "uuid".to_owned()))
}

fn text(text: &str) -> Term {
    Term::from(text.to_owned())
}

fn list(elements: Vec<Term>) -> Term {
    Term::from(List::from(elements))
}

/// What a message to a registered name leads to, in words.
fn say(session: &mut Session, term: Term) -> Vec<String> {
    let mut out = Vec::new();
    session.handle(Message::reg_send(pid(1), Atom::from("any"), term), &mut out);
    out.into_iter()
        .map(|output| match output {
            Output::Send(to, term) => format!("{}: {term}", to.id),
            Output::Tell(Message::Link(link)) => format!("link {}", link.to_pid.id),
            Output::Tell(other) => format!("tell {other:?}"),
            Output::Api { caller, line } => format!("api {} `{line}`", caller.pid.id),
            Output::Job { job, name, args, .. } => format!("job {job} {name} `{args}`"),
            Output::Fire(event) => {
                format!("fire {} {:?} {:?}", event.name(), event.get("to"), event.body_text())
            }
            Output::Bind(section, pid) => format!("bind {} {}", section.as_str(), pid.id),
            Output::Unbind(pid) => format!("unbind {}", pid.id),
            Output::Fetched { id, text, .. } => format!("fetched {id} {text:?}"),
            other => format!("{other:?}"),
        })
        .collect()
}

fn request(name: &str, rest: Vec<Term>) -> Term {
    tuple([vec![atom(name)], rest].concat())
}

#[test]
fn requests_are_answered_as_freeswitch_does() {
    let headers = || list(vec![tuple([text("to"), text("1000")]), tuple([text("body"), text("hi")])]);
    let bad = "1: {'error','badarg'}";
    for (term, expected) in [
        (atom("getpid"), vec!["1: {'ok',<'fs@host'.9.0>}"]),
        (atom("link"), vec!["link 1"]),
        (atom("exit"), vec!["1: 'ok'", "Close"]),
        (atom("nolog"), vec!["Wished", "FlushLogs", "1: 'ok'"]),
        (atom("noevents"), vec!["FlushEvents", "1: {'error','notlistening'}"]),
        (atom("session_noevents"), vec!["1: {'error','notlistening'}"]),
        (atom("nonsense"), vec!["1: {'error','undef'}"]),
        (text("nonsense"), vec!["1: {'error','undef'}"]),
        (tuple([]), vec!["1: {'error','undef'}"]),
        (atom("register_event_handler"), vec!["link 1", "Wished", "1: 'ok'"]),
        (atom("register_log_handler"), vec!["link 1", "Wished", "1: 'ok'"]),
        (request("set_log_level", vec![atom("info")]), vec!["Wished", "1: 'ok'"]),
        (request("set_log_level", vec![atom("console")]), vec![bad]),
        (request("set_log_level", vec![text("info")]), vec![bad]),
        (request("event", vec![]), vec![bad]),
        (request("event", vec![atom("MESSAGE")]), vec!["Wished", "1: 'ok'"]),
        (request("event", vec![list(vec![atom("CUSTOM"), atom("a::b")])]), vec!["Wished", "1: 'ok'"]),
        (request("event", vec![Term::from(FixInteger::from(1))]), vec![bad]),
        (request("filter", vec![]), vec![bad]),
        (
            request("filter", vec![atom("a b c"), atom("add d e"), atom("delete a"), atom("x")]),
            vec![
                "Wished",
                "1: {'filter_command_processing_log',[{[97,100,100,101,100],[97],[98,32,99]},\
                 {[97,100,100,101,100],[100],[101]},{[100,101,108,101,116,101,100],[97],[]},'-ERR invalid syntax']}",
            ],
        ),
        (request("nixevent", vec![atom("ALL")]), vec!["Wished", "1: 'ok'"]),
        (request("setevent", vec![atom("ALL")]), vec![bad]),
        (request("session_event", vec![]), vec![bad]),
        (request("session_event", vec![atom("ALL")]), vec!["1: {'error','notlistening'}"]),
        (request("sendmsg", vec![text("uuid"), list(vec![])]), vec!["1: {'error','nosession'}"]),
        (request("sendmsg", vec![]), vec![bad]),
        (request("handlecall", vec![text("uuid")]), vec!["1: {'error','badsession'}"]),
        (request("handlecall", vec![atom("p"), text("uuid")]), vec!["1: {'error','badsession'}"]),
        (request("handlecall", vec![]), vec![bad]),
        (request("api", vec![atom("status"), text("")]), vec!["api 1 `status `"]),
        (request("api", vec![atom("status")]), vec![bad]),
        (request("api", vec![text("status"), text("")]), vec![bad]),
        (
            request("bgapi", vec![atom("echo"), text("a")]),
            vec!["1: {'ok',[117,117,105,100]}", "job uuid echo `a`"],
        ),
        (
            request("sendevent", vec![atom("MESSAGE"), headers()]),
            vec!["fire MESSAGE Some(\"1000\") \"hi\"", "1: 'ok'"],
        ),
        (
            request("sendevent", vec![atom("CUSTOM"), atom("a::b"), headers()]),
            vec!["fire CUSTOM Some(\"1000\") \"hi\"", "1: 'ok'"],
        ),
        (request("sendevent", vec![atom("CUSTOM"), headers()]), vec![bad]),
        (request("sendevent", vec![atom("NONSENSE"), headers()]), vec![bad]),
        (request("sendevent", vec![atom("MESSAGE"), list(vec![atom("x")])]), vec![bad]),
        (request("bind", vec![atom("chatplan")]), vec!["bind chatplan 1", "link 1", "1: 'ok'"]),
        (request("bind", vec![atom("config")]), vec!["bind configuration 1", "link 1", "1: 'ok'"]),
        (request("bind", vec![atom("nonsense")]), vec![bad]),
        (request("fetch_reply", vec![text("id"), text("<a/>")]), vec!["fetched id Some(\"<a/>\")"]),
        (request("fetch_reply", vec![text("id"), atom("none")]), vec!["fetched id None"]),
        (request("fetch_reply", vec![atom("id")]), vec![bad]),
    ] {
        assert_eq!(say(&mut session(), term.clone()), expected, "{term}");
    }
}

#[test]
fn a_ping_is_answered_whatever_the_tag_is() {
    let reference = || Term::from(Reference { node: Atom::from("peer@host"), id: vec![1], creation: 1 });
    let alias = Term::from(eetf::ImproperList::from((vec![atom("alias")], reference())));
    for tag in [reference(), alias] {
        let from = tuple([Term::from(pid(7)), tag.clone()]);
        let ping = tuple([atom("$gen_call"), from, tuple([atom("is_auth"), atom("peer@host")])]);
        let mut out = Vec::new();
        session().handle(Message::reg_send(pid(1), Atom::from("net_kernel"), ping), &mut out);
        let [Output::Send(to, answer)] = &out[..] else { panic!("{out:?}") };
        assert_eq!((to.id, answer), (7, &tuple([tag, atom("yes")])));
    }
    let mut out = Vec::new();
    session().handle(Message::reg_send(pid(1), Atom::from("net_kernel"), atom("exit")), &mut out);
    assert!(out.is_empty(), "{out:?}");
}

#[test]
fn a_call_is_answered_with_its_tag() {
    let call = tuple([atom("$gen_call"), tuple([Term::from(pid(7)), atom("tag")]), atom("getpid")]);
    assert_eq!(say(&mut session(), call), ["7: {'tag',{'ok',<'fs@host'.9.0>}}"]);
}

#[test]
fn a_process_that_ends_is_forgotten() {
    let mut session = session();
    say(&mut session, atom("register_event_handler"));
    say(&mut session, atom("register_log_handler"));
    let own = session.own.clone();
    let mut out = Vec::new();
    session.handle(Message::exit(pid(2), own.clone(), atom("normal")), &mut out);
    assert!(session.wishes.event_handler.is_some() && session.wishes.log_handler.is_some());
    session.handle(Message::exit(pid(1), own, atom("normal")), &mut out);
    assert!(session.wishes.event_handler.is_none() && session.wishes.log_handler.is_none());
    assert!(matches!(out.last(), Some(Output::Unbind(gone)) if *gone == pid(1)));
}

#[test]
fn subscriptions_add_up_and_are_taken_back() {
    let mut session = session();
    let wants = |session: &Session, name, subclass| session.wishes.subscription.wants(name, subclass);
    say(&mut session, request("event", vec![atom("MESSAGE"), atom("CUSTOM"), atom("a::b")]));
    assert!(wants(&session, EventName::Message, None));
    assert!(wants(&session, EventName::Custom, Some("a::b")));
    assert!(!wants(&session, EventName::Custom, Some("other")));
    say(&mut session, request("nixevent", vec![atom("MESSAGE")]));
    assert!(!wants(&session, EventName::Message, None));
    say(&mut session, request("setevent", vec![atom("HEARTBEAT")]));
    assert!(wants(&session, EventName::Heartbeat, None));
    assert!(!wants(&session, EventName::Custom, Some("a::b")));
    say(&mut session, atom("noevents"));
    assert!(!wants(&session, EventName::Heartbeat, None));
}

#[test]
fn an_unlink_is_confirmed() {
    let mut out = Vec::new();
    let own = session().own;
    let id = Term::from(FixInteger::from(5));
    session().handle(Message::unlink_id(id.clone(), pid(1), own.clone()), &mut out);
    let [Output::Tell(Message::UnlinkIdAck(ack))] = &out[..] else { panic!("{out:?}") };
    assert_eq!((&ack.id, &ack.from_pid, &ack.to_pid), (&id, &own, &pid(1)));
}

#[test]
fn tuples_of_anything_do_no_harm() {
    let odd = Term::from(Tuple::from(vec![Term::from(pid(3)), atom("x")]));
    assert_eq!(say(&mut session(), odd), ["1: {'error','undef'}"]);
}
