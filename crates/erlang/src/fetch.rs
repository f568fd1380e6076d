//! Questions for processes that answer for a section of the configuration.
//!
//! FreeSWITCH mod_erlang_event.c erlang_fetch: every process that has bound the section is asked, and the first answer
//! counts.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chappe_config::{Bindings, Document, Fetching, Section, XmlBinding, XmlQuery, answer_document};
use eetf::{List, Pid, Term};
use parking_lot::Mutex;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::hub::Member;
use crate::term::{atom, pair, tuple};
use crate::{Encoding, MODULE};

/// Questions that may wait for an answer at the same time; one more is not asked.
const MAX_PENDING: usize = 10_000;

/// Who has bound what, and what was asked.
pub(crate) struct Fetches {
    state: Mutex<State>,
    bindings: Arc<Bindings>,
    runtime: Handle,
}

#[derive(Default)]
struct State {
    bound: Vec<Bound>,
    /// One for each section that somebody has bound, in the order of the first.
    served: Vec<(Section, Arc<dyn XmlBinding>)>,
    pending: HashMap<String, Pending>,
    patience: Duration,
}

struct Bound {
    section: Section,
    pid: Pid,
    member: Arc<Member>,
}

struct Pending {
    answer: oneshot::Sender<Option<Arc<Document>>>,
    /// The processes that can still answer.
    asked: Vec<Pid>,
}

impl Fetches {
    pub(crate) fn new(bindings: Arc<Bindings>, runtime: Handle) -> Arc<Self> {
        Arc::new(Self { state: Mutex::default(), bindings, runtime })
    }

    /// How long a process has to answer.
    pub(crate) fn set_patience(&self, patience: Duration) {
        self.state.lock().patience = patience;
    }

    pub(crate) fn bind(self: &Arc<Self>, section: Section, pid: Pid, member: Arc<Member>) {
        let mut state = self.state.lock();
        state.bound.retain(|bound| (bound.section, &bound.pid) != (section, &pid));
        state.bound.push(Bound { section, pid, member });
        if state.served.iter().all(|(served, _)| *served != section) {
            let binding: Arc<dyn XmlBinding> = Arc::new(SectionBinding { section, fetches: self.clone() });
            state.served.push((section, binding.clone()));
            self.bindings.add(binding);
        }
    }

    /// Something of everybody who has bound something: the node, and the section.
    pub(crate) fn bound<T>(&self, of: impl Fn(&str, Section) -> T) -> Vec<T> {
        let state = self.state.lock();
        state.bound.iter().map(|bound| of(&bound.pid.node.name, bound.section)).collect()
    }

    /// The process answers for nothing any more.
    pub(crate) fn unbind(&self, pid: &Pid) {
        self.forget(|bound| bound.pid == *pid);
    }

    /// Nobody on that connection does.
    pub(crate) fn unbind_all(&self, member: &Arc<Member>) {
        self.forget(|bound| Arc::ptr_eq(&bound.member, member));
    }

    fn forget(&self, is_gone: impl Fn(&Bound) -> bool) {
        let mut state = self.state.lock();
        let (gone, left): (Vec<_>, Vec<_>) = std::mem::take(&mut state.bound).into_iter().partition(is_gone);
        if gone.is_empty() {
            state.bound = left;
            return;
        }
        state.pending.retain(|_, pending| {
            pending.asked.retain(|pid| gone.iter().all(|bound| bound.pid != *pid));
            // Dropping the last one's question ends the waiting.
            !pending.asked.is_empty()
        });
        state.served.retain(|(section, binding)| {
            let served = left.iter().any(|bound| bound.section == *section);
            if !served {
                self.bindings.remove(binding);
            }
            served
        });
        state.bound = left;
    }

    /// Takes an answer; whether the question waits for one. An answer that is no document, or says that there is no such
    /// thing, leaves it to the next binding and to the files.
    pub(crate) fn answer(&self, id: &str, text: Option<&str>, node: &str) -> bool {
        let Some(pending) = self.state.lock().pending.remove(id) else { return false };
        // Whoever asked may have given up.
        let _ = pending.answer.send(document(text, node));
        true
    }

    /// Asks everybody who has bound the section.
    fn ask(self: &Arc<Self>, query: &XmlQuery) -> Option<Asked> {
        let id = uuid::Uuid::new_v4().to_string();
        let mut state = self.state.lock();
        if state.pending.len() >= MAX_PENDING {
            tracing::warn!("{MAX_PENDING} questions wait for erlang processes: no more are asked");
            return None;
        }
        let bound = state.bound.iter().filter(|bound| bound.section == query.section);
        let asked: Vec<Pid> = bound
            .filter(|bound| {
                let question = question(bound.member.encoding, query, &id);
                let sent = bound.member.try_send(bound.pid.clone(), question);
                if !sent {
                    tracing::warn!(node = %bound.member.node, "erlang node takes no questions");
                }
                sent
            })
            .map(|bound| bound.pid.clone())
            .collect();
        if asked.is_empty() {
            return None;
        }
        let (answer, answered) = oneshot::channel();
        state.pending.insert(id.clone(), Pending { answer, asked });
        Some(Asked { patience: state.patience, fetches: self.clone(), id, answered })
    }
}

/// A question under way; given up when dropped.
struct Asked {
    fetches: Arc<Fetches>,
    id: String,
    patience: Duration,
    answered: oneshot::Receiver<Option<Arc<Document>>>,
}

impl Asked {
    async fn answer(mut self) -> Option<Arc<Document>> {
        match timeout(self.patience, &mut self.answered).await {
            Ok(answer) => answer.ok().flatten(),
            Err(_) => {
                tracing::warn!(id = %self.id, "no erlang process answered in {:?}", self.patience);
                None
            }
        }
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        self.fetches.state.lock().pending.remove(&self.id);
    }
}

/// Those who have bound one section.
struct SectionBinding {
    section: Section,
    fetches: Arc<Fetches>,
}

impl XmlBinding for SectionBinding {
    fn module(&self) -> &'static str {
        MODULE
    }

    fn serves(&self, section: Section) -> bool {
        self.section == section
    }

    fn fetch(&self, query: Arc<XmlQuery>) -> Fetching {
        let fetches = self.fetches.clone();
        // Whoever asks may be on a thread that has no clock for waiting.
        let waiting = self.fetches.runtime.spawn(async move {
            match fetches.ask(&query) {
                Some(asked) => asked.answer().await,
                None => None,
            }
        });
        Box::pin(async move { waiting.await.ok().flatten() })
    }
}

/// `{fetch, Section, Tag, Key, Value, Id, [undefined | [{Name, Value}]]}`
fn question(encoding: Encoding, query: &XmlQuery, id: &str) -> Term {
    let word = |text: &str| encoding.text(if text.is_empty() { "undefined" } else { text });
    let uuid = query.params.iter().find(|(name, _)| name.eq_ignore_ascii_case("Unique-ID"));
    let uuid = uuid.map_or_else(|| atom("undefined"), |(_, uuid)| encoding.text(uuid));
    let params = query.params.iter().map(|(name, value)| pair(encoding, name, value));
    tuple([
        atom("fetch"),
        atom(query.section.as_str()),
        word(&query.tag_name),
        word(&query.key_name),
        word(&query.key_value),
        encoding.text(id),
        Term::from(List::from(std::iter::once(uuid).chain(params).collect::<Vec<_>>())),
    ])
}

fn document(text: Option<&str>, node: &str) -> Option<Arc<Document>> {
    let Some(text) = text else {
        tracing::error!(%node, "an erlang process answered with a term that is no text");
        return None;
    };
    if text.trim().is_empty() {
        return None;
    }
    match answer_document(text, node) {
        Ok(document) => document.map(Arc::new),
        Err(diagnostics) => {
            let first = diagnostics.errors().next().map(ToString::to_string).unwrap_or_default();
            tracing::error!(%node, "an erlang process answered with no document: {first}");
            None
        }
    }
}
