//! What a node says and is answered, without a socket: messages in, what they lead to out.
//!
//! FreeSWITCH handle_msg.c. Every name of this node is the same process: only `net_kernel`, which other nodes ask
//! whether this one is there, answers for itself.

use chappe_config::Section;
use chappe_event::Event;
use eetf::{Pid, Term};
use erl_dist::message::Message;

use crate::Encoding;
use crate::hub::Wishes;
use crate::term::{as_atom, atom, error, tuple};

mod calls;
mod events;
mod fetch_reply;
mod filters;
mod jobs;
mod logs;
mod sendevent;

/// Whom an answer goes to.
#[derive(Clone, PartialEq, Debug)]
pub struct Caller {
    pub pid: Pid,
    /// Of a `gen_server:call`: the answer bears it.
    pub tag: Option<Term>,
}

impl Caller {
    /// The message that answers.
    pub fn answer(self, term: Term) -> (Pid, Term) {
        match self.tag {
            Some(tag) => (self.pid, tuple([tag, term])),
            None => (self.pid, term),
        }
    }
}

/// What a message leads to, in this order.
#[derive(Debug)]
pub enum Output {
    /// Send this message to a process of the peer's.
    Send(Pid, Term),
    /// Tell the peer this: links are made and their ends confirmed.
    Tell(Message),
    /// Run the API command after those before it, and answer what it says.
    Api { caller: Caller, line: String },
    /// Run the API command beside whatever follows, then tell the caller and fire a BACKGROUND_JOB event.
    Job { caller: Caller, job: String, name: String, args: String },
    /// Fire an event that the peer sent.
    Fire(Box<Event>),
    /// From here on the peer hears what [`Session::wishes`] says.
    Wished,
    /// Forget the events that wait to be written.
    FlushEvents,
    /// Forget the log lines that wait to be written.
    FlushLogs,
    /// The process answers for a section of the configuration.
    Bind(Section, Pid),
    /// This process is gone: it answers for nothing any more.
    Unbind(Pid),
    /// The answer to a question, its text or none that can be read, and who gave it.
    Fetched { caller: Caller, id: String, text: Option<String> },
    /// End the connection.
    Close,
}

/// The state of one connection.
pub struct Session {
    own: Pid,
    encoding: Encoding,
    pub(crate) wishes: Wishes,
    new_uuid: Box<dyn FnMut() -> String + Send>,
}

/// A tuple that was understood as a request: its name is known, and these are the rest of its elements.
type Handler = fn(&mut Session, Caller, &[Term], &mut Vec<Output>);

/// Requests by the first element of a tuple, or by the atom that stands alone.
const TUPLES: &[(&str, Handler)] = &[
    ("fetch_reply", fetch_reply::fetch_reply),
    ("set_log_level", logs::set_log_level),
    ("event", events::event),
    ("filter", filters::filter),
    ("nixevent", events::nixevent),
    ("setevent", events::setevent),
    ("session_event", calls::not_listening),
    ("session_nixevent", calls::not_listening),
    ("session_setevent", calls::not_listening),
    ("api", jobs::api),
    ("bgapi", jobs::bgapi),
    ("sendevent", sendevent::sendevent),
    ("sendmsg", calls::sendmsg),
    ("bind", fetch_reply::bind),
    ("handlecall", calls::handlecall),
    ("rex", |_, caller, _, out| reply(out, caller, error("notfound"))),
];

const ATOMS: &[(&str, Handler)] = &[
    ("nolog", logs::nolog),
    ("register_log_handler", logs::register_log_handler),
    ("register_event_handler", events::register_event_handler),
    ("noevents", events::noevents),
    ("session_noevents", |_, caller, _, out| reply(out, caller, error("notlistening"))),
    ("exit", |_, caller, _, out| {
        reply(out, caller, atom("ok"));
        out.push(Output::Close);
    }),
    ("getpid", |session, caller, _, out| {
        let own = Term::from(session.own.clone());
        reply(out, caller, tuple([atom("ok"), own]));
    }),
    ("link", |session, caller, _, out| session.link(&caller.pid, out)),
];

impl Session {
    /// `own` is who this node is to the peer; `new_uuid` makes the identifiers of jobs and events.
    pub fn new(own: Pid, encoding: Encoding, new_uuid: Box<dyn FnMut() -> String + Send>) -> Self {
        Self { own, encoding, wishes: Wishes::default(), new_uuid }
    }

    /// Takes one message and appends what it leads to.
    pub fn handle(&mut self, message: Message, out: &mut Vec<Output>) {
        match message {
            Message::RegSend(sent) if sent.to_name.name == "net_kernel" => self.net_kernel(sent.message, out),
            Message::RegSend(sent) => self.request(sent.from_pid, sent.message, out),
            Message::RegSendTt(sent) => self.request(sent.from_pid, sent.message, out),
            Message::SendSender(sent) => self.request(sent.from_pid, sent.message, out),
            Message::SendSenderTt(sent) => self.request(sent.from_pid, sent.message, out),
            Message::Exit(exit) => self.gone(exit.from_pid, out),
            Message::ExitTt(exit) => self.gone(exit.from_pid, out),
            Message::Exit2(exit) => self.gone(exit.from_pid, out),
            Message::Exit2Tt(exit) => self.gone(exit.from_pid, out),
            Message::UnlinkId(unlink) => {
                let ack = Message::unlink_id_ack(unlink.id, unlink.to_pid, unlink.from_pid);
                out.push(Output::Tell(ack));
            }
            // Whoever monitors or links with this node hears of its end when the connection ends.
            _ => {}
        }
    }

    fn request(&mut self, from: Pid, term: Term, out: &mut Vec<Output>) {
        match gen_call(&term) {
            Some((caller, request)) => self.answer(caller, request, out),
            None => self.answer(Caller { pid: from, tag: None }, &term, out),
        }
    }

    fn answer(&mut self, caller: Caller, term: &Term, out: &mut Vec<Output>) {
        let (table, name, rest) = match term {
            Term::Atom(atom) => (ATOMS, Some(atom.name.as_str()), &[][..]),
            Term::Tuple(tuple) => match tuple.elements.split_first() {
                Some((first, rest)) => (TUPLES, as_atom(first), rest),
                None => (TUPLES, None, &[][..]),
            },
            _ => (TUPLES, None, &[][..]),
        };
        let known = table.iter().find(|(known, _)| name == Some(known));
        match known {
            Some((_, handler)) => handler(self, caller, rest, out),
            None => reply(out, caller, error("undef")),
        }
    }

    /// `net_adm:ping` asks `{is_auth, Node}`. FreeSWITCH handle_msg.c handle_net_kernel_msg.
    fn net_kernel(&mut self, term: Term, out: &mut Vec<Output>) {
        let Some((caller, Term::Tuple(request))) = gen_call(&term) else { return };
        if request.elements.first().and_then(as_atom) == Some("is_auth") {
            reply(out, caller, atom("yes"));
        }
    }

    /// A linked process ended. FreeSWITCH mod_erlang_event.c handle_exit.
    fn gone(&mut self, pid: Pid, out: &mut Vec<Output>) {
        if self.wishes.log_handler.as_ref() == Some(&pid) {
            self.wishes.log_handler = None;
            out.extend([Output::Wished, Output::FlushLogs]);
        }
        if self.wishes.event_handler.as_ref() == Some(&pid) {
            self.wishes.event_handler = None;
            self.wishes.subscription.clear();
            out.extend([Output::Wished, Output::FlushEvents]);
        }
        out.push(Output::Unbind(pid));
    }

    /// Has the peer tell when the process ends.
    fn link(&self, pid: &Pid, out: &mut Vec<Output>) {
        out.push(Output::Tell(Message::link(self.own.clone(), pid.clone())));
    }
}

/// `{'$gen_call', {Pid, Tag}, Request}`.
fn gen_call(term: &Term) -> Option<(Caller, &Term)> {
    let Term::Tuple(call) = term else { return None };
    let [marker, Term::Tuple(from), request] = call.elements.as_slice() else { return None };
    let [Term::Pid(pid), tag] = from.elements.as_slice() else { return None };
    let caller = Caller { pid: pid.clone(), tag: Some(tag.clone()) };
    (as_atom(marker) == Some("$gen_call")).then_some((caller, request))
}

fn reply(out: &mut Vec<Output>, caller: Caller, term: Term) {
    let (pid, term) = caller.answer(term);
    out.push(Output::Send(pid, term));
}

#[cfg(test)]
mod tests;
