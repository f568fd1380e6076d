//! The chatplan of those who answer for its section: one question a message.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use chappe_chat::{Opening, PlanSource};
use chappe_chatplan::Plan;
use chappe_config::{Bindings, Diagnostics, Document, Section, XmlQuery};
use chappe_event::{Bus, Event, header};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use crate::diagnosis;

/// Documents whose plans are known while their binding keeps them. With one more all are forgotten.
const CAPACITY: usize = 256;

/// Answers compiled at the same time; a message whose answer is one more waits for its turn.
const COMPILERS: usize = 4;

/// Asks the bindings, and compiles what they answer on threads made for blocking.
pub struct BindingPlans {
    bindings: Arc<Bindings>,
    bus: Arc<Bus>,
    runtime: Handle,
    turns: Arc<Semaphore>,
    plans: Arc<Plans>,
}

impl BindingPlans {
    pub fn new(bindings: Arc<Bindings>, bus: Arc<Bus>, runtime: Handle) -> Self {
        Self { bindings, bus, runtime, turns: Arc::new(Semaphore::new(COMPILERS)), plans: Arc::default() }
    }

    /// FreeSWITCH mod_sms.c chatplan_hunt, which asks for the section as a whole and hands on the message's headers.
    fn query(&self, message: &Event) -> XmlQuery {
        XmlQuery {
            section: Section::Chatplan,
            tag_name: String::new(),
            key_name: String::new(),
            key_value: String::new(),
            params: self.params(message),
        }
    }

    /// In FreeSWITCH a message has the headers of every event, first, from the moment it is made.
    #[track_caller]
    fn params(&self, message: &Event) -> Vec<(String, String)> {
        let mut core = Event::new(message.name());
        if message.get(header::EVENT_SEQUENCE).is_none() {
            self.bus.prepare(&mut core, chappe_event::Calling::here("chatplan_hunt"));
        }
        let core = core.headers().filter(|(name, _)| message.get(name).is_none());
        let of =
            |(name, value): (&str, chappe_event::Value<'_>)| (name.to_owned(), value.as_str().to_owned());
        core.map(of).chain(message.headers().map(of)).collect()
    }
}

impl PlanSource for BindingPlans {
    fn find(&self, message: &Event) -> Option<Opening> {
        if !self.bindings.serves(Section::Chatplan) {
            return None;
        }
        let locating = self.bindings.locate(self.query(message));
        let (runtime, turns, plans) = (self.runtime.clone(), self.turns.clone(), self.plans.clone());
        Some(Box::pin(async move {
            let document = locating.await?;
            if let Some(plan) = plans.known(&document) {
                return plan;
            }
            let turn = turns.acquire_owned().await.ok()?;
            let compiling = runtime.spawn_blocking(move || {
                let _turn = turn;
                plans.compile(&document)
            });
            compiling.await.ok()?
        }))
    }
}

/// What is known of a document. Its binding keeps the document alive for as long as it counts.
struct Compiled {
    document: Weak<Document>,
    /// None: the document has no chatplan.
    plan: Option<Arc<Plan>>,
}

#[derive(Default)]
struct Plans(Mutex<Vec<Compiled>>);

impl Plans {
    fn known(&self, document: &Arc<Document>) -> Option<Option<Arc<Plan>>> {
        let plans = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_it = |known: &&Compiled| std::ptr::eq(known.document.as_ptr(), Arc::as_ptr(document));
        plans.iter().find(is_it).map(|known| known.plan.clone())
    }

    fn compile(&self, document: &Arc<Document>) -> Option<Arc<Plan>> {
        let mut diagnostics = Diagnostics::new();
        let section = document.section("chatplan");
        let plan = section.map(|section| Arc::new(Plan::compile_section(section, &mut diagnostics)));
        diagnosis::log(&diagnostics);
        let mut plans = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        plans.retain(|known| known.document.strong_count() > 0);
        if plans.len() >= CAPACITY {
            plans.clear();
        }
        plans.push(Compiled { document: Arc::downgrade(document), plan: plan.clone() });
        plan
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chappe_config::{Fetching, XmlBinding, parse_fragment};
    use chappe_event::{EventName, Identity, ManualClock};

    /// Answers with its document, and remembers what it was asked.
    #[derive(Default)]
    struct Recorder {
        document: Option<Arc<Document>>,
        asked: Mutex<Vec<Arc<XmlQuery>>>,
    }

    impl XmlBinding for Recorder {
        fn module(&self) -> &'static str {
            "mod_test"
        }

        fn serves(&self, section: Section) -> bool {
            section == Section::Chatplan
        }

        fn fetch(&self, query: Arc<XmlQuery>) -> Fetching {
            self.asked.lock().expect("nobody panicked").push(query);
            Box::pin(std::future::ready(self.document.clone()))
        }
    }

    fn document(section: &str) -> Option<Arc<Document>> {
        let text =
            format!("<document><section name=\"{section}\"><context name=\"c\"/></section></document>");
        Some(Arc::new(parse_fragment(&text, "answer").0))
    }

    fn message() -> Event {
        let mut message = Event::new(EventName::Message);
        message.add("from", "1000@example.org");
        message.add("to", "1001@example.org");
        message
    }

    struct World {
        plans: BindingPlans,
        runtime: tokio::runtime::Runtime,
    }

    impl World {
        fn new() -> Self {
            let bus = Bus::new(Arc::new(Identity::default()), Arc::new(ManualClock::at(0)));
            let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
            let plans = BindingPlans::new(Arc::default(), Arc::new(bus), runtime.handle().clone());
            Self { plans, runtime }
        }

        fn bind(&self, document: Option<Arc<Document>>) -> Arc<Recorder> {
            let recorder = Arc::new(Recorder { document, ..Recorder::default() });
            self.plans.bindings.add(recorder.clone());
            recorder
        }

        fn find(&self) -> Option<Arc<Plan>> {
            self.runtime.block_on(self.plans.find(&message()).expect("somebody serves the chatplan"))
        }
    }

    #[test]
    fn nobody_is_asked_while_nobody_serves() {
        assert!(World::new().plans.find(&message()).is_none());
    }

    #[test]
    fn the_question_has_the_headers_of_events_and_then_the_messages() {
        let world = World::new();
        let recorder = world.bind(None);
        assert!(world.find().is_none());
        let asked = recorder.asked.lock().expect("nobody panicked");
        let names: Vec<&str> = asked[0].params.iter().map(|(name, _)| &**name).collect();
        assert_eq!(names.first(), Some(&"Event-Name"));
        assert_eq!(names[names.len() - 2..], ["from", "to"]);
        assert_eq!(asked[0].params[0].1, "MESSAGE");
        assert_eq!((asked[0].section, &*asked[0].tag_name), (Section::Chatplan, ""));
    }

    #[test]
    fn an_answer_is_compiled_once_while_it_is_kept() {
        let world = World::new();
        world.bind(document("chatplan"));
        let (first, second) = (world.find().expect("a plan"), world.find().expect("a plan"));
        assert!(first.has_context("c"));
        assert!(Arc::ptr_eq(&first, &second));
    }

    #[test]
    fn an_answer_without_a_chatplan_leaves_it_to_the_files() {
        let world = World::new();
        world.bind(document("directory"));
        assert!(world.find().is_none());
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let plans = Plans::default();
        let kept: Vec<_> = (0..CAPACITY + 10).filter_map(|_| document("chatplan")).collect();
        for document in &kept {
            assert!(plans.compile(document).is_some());
        }
        assert_eq!(plans.0.lock().expect("nobody panicked").len(), 10);
        drop(kept);
        plans.compile(&document("chatplan").expect("a document"));
        assert_eq!(plans.0.lock().expect("nobody panicked").len(), 1);
    }
}
