//! The router: who can be reached, what can be run, and the settings of the moment.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Weak};

use chappe_api::Registry;
use chappe_chatplan::Plan;
use chappe_current::Current;
use chappe_event::{Bus, Clock, Event, Globals};

use crate::execute::{Author, Executed};
use crate::send_message::SendMessage;
use crate::{
    AltPlans, App, AppRow, ChatInterface, Delivery, InterfaceRow, Opening, Outcome, PlanSource, Queue,
    Quirks, Routed, Settings, Verdict,
};
use crate::{asker, flow};

/// Work that goes on while nobody waits for it.
pub type BoxFuture = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Runs a future to its end. It is called from any thread; the future may use tokio's timers and processes.
pub type Spawn = Arc<dyn Fn(BoxFuture) + Send + Sync>;

/// What the router is given.
#[derive(Clone)]
pub struct RouterDeps {
    pub bus: Arc<Bus>,
    pub registry: Arc<Registry>,
    pub globals: Arc<Globals>,
    pub clock: Arc<dyn Clock>,
    /// Deliveries nobody waits for, commands of the machine, `SMS::SEND_MESSAGE`.
    pub spawn: Spawn,
    /// The files that a message's `alt_path` names.
    pub alt_plans: Arc<dyn AltPlans>,
}

/// Routes messages. Looking up an app, an interface, the plan or a setting takes no lock; changing one copies the list.
pub struct Router {
    pub(crate) deps: RouterDeps,
    /// Sorted by lower-case name, as are the interfaces.
    apps: Current<Vec<Arc<dyn App>>>,
    interfaces: Current<Vec<Arc<dyn ChatInterface>>>,
    plan: Current<Option<Arc<Plan>>>,
    plan_source: Current<Option<Arc<dyn PlanSource>>>,
    tuning: Current<(Quirks, Settings)>,
    send_message: SendMessage,
    queue: Arc<Queue>,
    /// Deliveries that go on while nobody waits for them.
    pub(crate) detached: AtomicUsize,
}

impl Router {
    /// A router with mod_sms's apps, no interface and no plan.
    pub fn new(deps: RouterDeps) -> Arc<Self> {
        let router = Arc::new_cyclic(|router: &Weak<Self>| Self {
            send_message: SendMessage::new(deps.bus.clone(), router.clone()),
            queue: Queue::new(router.clone()),
            deps,
            apps: Current::default(),
            interfaces: Current::default(),
            plan: Current::default(),
            plan_source: Current::default(),
            tuning: Current::default(),
            detached: AtomicUsize::new(0),
        });
        for app in crate::apps::all() {
            router.add_app(app);
        }
        router
    }

    /// Adds an app; one of the same name is replaced.
    pub fn add_app(&self, app: Arc<dyn App>) {
        self.apps.change(|apps| with(apps, |app| app.row().name, app.clone()));
    }

    /// Removes the apps and the chat interfaces a module brought.
    pub fn remove_module(&self, module: &str) {
        self.apps
            .change(|apps| apps.iter().filter(|app| app.row().module != module).cloned().collect::<Vec<_>>());
        self.interfaces.change(|interfaces| {
            interfaces.iter().filter(|interface| interface.module() != module).cloned().collect::<Vec<_>>()
        });
    }

    /// Adds a chat interface; one of the same name is replaced.
    pub fn add_interface(&self, interface: Arc<dyn ChatInterface>) {
        self.interfaces
            .change(|interfaces| with(interfaces, |interface| interface.name(), interface.clone()));
    }

    pub fn remove_interface(&self, name: &str) {
        self.interfaces.change(|interfaces| {
            interfaces.iter().filter(|i| !i.name().eq_ignore_ascii_case(name)).cloned().collect::<Vec<_>>()
        });
    }

    /// Every app's row, sorted by name.
    pub fn apps(&self) -> Vec<AppRow> {
        self.apps.load().iter().map(|app| *app.row()).collect()
    }

    /// The row of one app.
    pub fn app(&self, name: &str) -> Option<AppRow> {
        self.find_app(name).map(|app| *app.row())
    }

    /// Every chat interface, sorted by name; mod_sms's own among them while a plan is set.
    pub fn interfaces(&self) -> Vec<InterfaceRow> {
        let row =
            |i: &Arc<dyn ChatInterface>| InterfaceRow { name: i.name().into(), module: i.module().into() };
        let mut rows: Vec<_> = self.interfaces.load().iter().map(row).collect();
        if self.plan.load().is_some() {
            rows.insert(0, InterfaceRow { name: GLOBAL_SMS.into(), module: "mod_sms".into() });
        }
        rows
    }

    /// Sets the chatplan. `None`: mod_sms is not loaded, so that messages go point to point and `SMS::SEND_MESSAGE`
    /// events are not heeded.
    pub fn set_plan(&self, plan: Option<Arc<Plan>>) {
        self.send_message.listen(plan.is_some());
        self.plan.store(Arc::new(plan));
    }

    pub fn plan(&self) -> Option<Arc<Plan>> {
        Option::clone(&self.plan.load())
    }

    /// Who is asked for each message's plan while one is set. `None`: the plan that is set counts for all.
    pub fn set_plan_source(&self, source: Option<Arc<dyn PlanSource>>) {
        self.plan_source.store(Arc::new(source));
    }

    /// The plan that somebody else has for the message. A message with an `alt_path` asks for a file instead.
    pub(crate) fn find_plan(&self, message: &Event) -> Option<Opening> {
        let source = self.plan_source.load();
        let source = (**source).as_ref().filter(|_| message.get("alt_path").is_none())?;
        source.find(message)
    }

    pub fn quirks(&self) -> Quirks {
        self.tuning.load().0
    }

    pub fn settings(&self) -> Settings {
        self.tuning.load().1
    }

    pub fn set_quirks(&self, quirks: Quirks) {
        self.configure(quirks, self.settings());
    }

    pub fn configure(&self, quirks: Quirks, settings: Settings) {
        self.tuning.store(Arc::new((quirks, settings)));
    }

    /// The messages that wait.
    pub fn queue(&self) -> &Arc<Queue> {
        &self.queue
    }

    /// Whether some chat interface may have something where the recipient is.
    pub(crate) fn may_reach(&self, recipient: &str) -> bool {
        self.interfaces.load().iter().any(|interface| interface.may_reach(recipient))
    }

    pub fn bus(&self) -> &Arc<Bus> {
        &self.deps.bus
    }

    pub fn globals(&self) -> &Arc<Globals> {
        &self.deps.globals
    }

    pub fn registry(&self) -> &Arc<Registry> {
        &self.deps.registry
    }

    /// Runs work that nobody waits for.
    pub fn spawn(&self, work: BoxFuture) {
        (self.deps.spawn)(work);
    }

    /// Routes a message whose `dest_proto` is set: the chatplan, the delivery, the events. Completes on its first poll
    /// when no app, API command or chat interface has to be waited for.
    pub fn route(self: &Arc<Self>, message: Event) -> impl Future<Output = Verdict> + Send + 'static {
        flow::route(self.clone(), message)
    }

    /// The same for a sender who waits for the answer: where an app is at work for longer than
    /// [`Settings::accept_after`], the message is taken over meanwhile.
    pub fn route_for_sender(
        self: &Arc<Self>,
        message: Event,
    ) -> impl Future<Output = Routed> + Send + 'static {
        asker::route(self.clone(), message)
    }

    /// Acts on a `CUSTOM SMS::SEND_MESSAGE` event, as it does on those it sees on the bus.
    pub fn send_from_event(self: &Arc<Self>, event: Event) -> impl Future<Output = ()> + Send + 'static {
        crate::send_message::handle(self.clone(), event)
    }

    /// Runs an app by its name, for a script or a program that handles the message. Its data is expanded first, by the
    /// message's headers alone unless [`Quirks::scripts_expand_all`]. FreeSWITCH switch_core_execute_chat_app.
    pub async fn execute_app(
        self: &Arc<Self>,
        message: &mut Event,
        app: &str,
        data: Option<&str>,
    ) -> Outcome {
        match crate::execute::app(self, message, app, data, Author::Script, None).await {
            Executed::Ran(_, outcome) => outcome,
            Executed::Unknown | Executed::Forbidden => Outcome::Stop,
        }
    }

    /// Sends a message through the chat interface that `dest_proto` names, past the chatplan and without events.
    pub async fn chat_send(self: &Arc<Self>, dest_proto: &str, message: &mut Event) -> Delivery {
        crate::delivery::send(self, dest_proto, message).await
    }

    pub(crate) fn find_app(&self, name: &str) -> Option<Arc<dyn App>> {
        let apps = self.apps.load();
        position(&apps, |app| app.row().name, name).ok().map(|at| apps[at].clone())
    }

    pub(crate) fn find_interface(&self, name: &str) -> Option<Arc<dyn ChatInterface>> {
        let interfaces = self.interfaces.load();
        position(&interfaces, |interface| interface.name(), name).ok().map(|at| interfaces[at].clone())
    }
}

/// mod_sms's chat interface, the chatplan.
pub(crate) const GLOBAL_SMS: &str = "GLOBAL_SMS";

/// A copy of `list` with `item` in its place.
fn with<T: Clone>(list: &[T], name: impl Fn(&T) -> &str, item: T) -> Vec<T> {
    let mut list = list.to_vec();
    let place = position(&list, &name, name(&item));
    match place {
        Ok(at) => list[at] = item,
        Err(at) => list.insert(at, item),
    }
    list
}

fn position<T>(list: &[T], name: impl Fn(&T) -> &str, wanted: &str) -> Result<usize, usize> {
    list.binary_search_by(|item| {
        let known = name(item).bytes().map(|byte| byte.to_ascii_lowercase());
        known.cmp(wanted.bytes().map(|byte| byte.to_ascii_lowercase()))
    })
}
