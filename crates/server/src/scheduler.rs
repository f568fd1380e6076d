//! Commands that run later: what `sched_api` adds.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chappe_api::Registry;
use chappe_event::{Bus, Clock, Event, EventName};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

/// How many tasks may wait; one more is refused.
pub const MAX_TASKS: usize = 10_000;

/// The clock is looked at again after this long, so that a task keeps its time when the clock is set.
const LOOK: Duration = Duration::from_secs(30);

/// Runs API commands at their time. A task runs by itself: one that takes long delays no other, and is not begun again
/// before it is over.
pub struct Scheduler {
    registry: Arc<Registry>,
    clock: Arc<dyn Clock>,
    bus: Arc<Bus>,
    runtime: Handle,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    last_id: u32,
    tasks: BTreeMap<u32, Waiting>,
}

struct Waiting {
    task: Task,
    /// Dropped when the task is deleted, which ends its waiting.
    _deleted: oneshot::Sender<()>,
}

/// A command and its time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Task {
    pub id: u32,
    pub group: String,
    pub command: String,
    /// Seconds since 1970.
    pub runtime: i64,
    /// Seconds between the end of one run and the next; 0: it runs once.
    pub repeat: u32,
}

impl Scheduler {
    pub fn new(registry: Arc<Registry>, clock: Arc<dyn Clock>, bus: Arc<Bus>, runtime: Handle) -> Arc<Self> {
        Arc::new(Self { registry, clock, bus, runtime, state: Mutex::default() })
    }

    /// Seconds since 1970.
    pub fn now(&self) -> i64 {
        self.clock.unix_micros() / 1_000_000
    }

    /// Adds a task and gives its id; `None` when [`MAX_TASKS`] wait.
    pub fn add(self: &Arc<Self>, runtime: i64, repeat: u32, group: &str, command: &str) -> Option<u32> {
        let (deleted, heard) = oneshot::channel();
        let task = {
            let mut state = self.state();
            if state.tasks.len() >= MAX_TASKS {
                return None;
            }
            let id = state.next_id();
            let task = Task { id, group: group.to_owned(), command: command.to_owned(), runtime, repeat };
            state.tasks.insert(id, Waiting { task: task.clone(), _deleted: deleted });
            task
        };
        self.announce(EventName::AddSchedule, &task);
        self.runtime.spawn(self.clone().drive(task.id, heard));
        Some(task.id)
    }

    /// Deletes a task; one that runs at the moment ends first. Whether there was one of that id.
    pub fn delete(&self, id: u32) -> bool {
        let deleted = self.state().tasks.remove(&id);
        if let Some(waiting) = &deleted {
            self.announce(EventName::DelSchedule, &waiting.task);
        }
        deleted.is_some()
    }

    /// Deletes every task of a group, and says how many there were.
    pub fn delete_group(&self, group: &str) -> usize {
        let tasks = self.tasks().into_iter();
        tasks.filter(|task| task.group == group && self.delete(task.id)).count()
    }

    /// All tasks, by id.
    pub fn tasks(&self) -> Vec<Task> {
        self.state().tasks.values().map(|waiting| waiting.task.clone()).collect()
    }

    async fn drive(self: Arc<Self>, id: u32, mut deleted: oneshot::Receiver<()>) {
        loop {
            tokio::select! {
                () = self.due(id) => {}
                _ = &mut deleted => return,
            }
            let Some(task) = self.task(id) else { return };
            let text = self.registry.execute(&task.command, None).text().await;
            tracing::debug!("Command {}:\n{text}", task.command);
            if !self.again(id) {
                return;
            }
        }
    }

    /// Waits for a task's time.
    async fn due(&self, id: u32) {
        while let Some(task) = self.task(id) {
            let left = task.runtime.saturating_mul(1_000_000).saturating_sub(self.clock.unix_micros());
            let Some(left) = u64::try_from(left).ok().filter(|left| *left > 0) else { return };
            tokio::time::sleep(Duration::from_micros(left).min(LOOK)).await;
        }
    }

    /// After a run: sets the next one. Whether there is one.
    fn again(&self, id: u32) -> bool {
        let now = self.now();
        let next = {
            let mut state = self.state();
            state.tasks.get_mut(&id).filter(|waiting| waiting.task.repeat > 0).map(|waiting| {
                waiting.task.runtime = now.saturating_add(waiting.task.repeat.into());
                waiting.task.clone()
            })
        };
        match next {
            Some(task) => self.announce(EventName::ReSchedule, &task),
            None => drop(self.delete(id)),
        }
        self.task(id).is_some()
    }

    fn task(&self, id: u32) -> Option<Task> {
        self.state().tasks.get(&id).map(|waiting| waiting.task.clone())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// FreeSWITCH switch_scheduler.c.
    fn announce(&self, name: EventName, task: &Task) {
        if !self.bus.wanted(name, None) {
            return;
        }
        let mut event = Event::new(name);
        event.add_display("Task-ID", task.id);
        event.add("Task-Desc", DESCRIPTION);
        event.add("Task-Group", &task.group);
        event.add_display("Task-Runtime", task.runtime);
        self.bus.fire(event);
    }
}

/// What FreeSWITCH calls the tasks of `sched_api`.
pub const DESCRIPTION: &str = "sched_api_function";

impl State {
    fn next_id(&mut self) -> u32 {
        loop {
            self.last_id = self.last_id.wrapping_add(1).max(1);
            if !self.tasks.contains_key(&self.last_id) {
                return self.last_id;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use chappe_api::{Answer, Call, Command, Row};
    use jiff::tz::TimeZone;

    use super::*;

    const START: i64 = 1_700_000_000;

    /// The time of tokio's paused clock.
    struct Virtual(tokio::time::Instant);

    impl Clock for Virtual {
        fn unix_micros(&self) -> i64 {
            START * 1_000_000 + i64::try_from(self.0.elapsed().as_micros()).expect("not that long")
        }

        fn zone(&self) -> &TimeZone {
            static UTC: TimeZone = TimeZone::UTC;
            &UTC
        }
    }

    /// Notes what it is told and when, and takes ten seconds for it.
    #[derive(Clone, Default)]
    struct Note(Arc<Mutex<Vec<String>>>);

    impl Command for Note {
        fn row(&self) -> &Row {
            &Row { name: "note", syntax: "", doc: "notes", module: "test" }
        }

        fn run(&self, call: Call<'_>) -> Answer {
            self.0.lock().expect("unpoisoned").push(call.args.to_owned());
            Answer::Later(Box::pin(async {
                tokio::time::sleep(Duration::from_secs(10)).await;
                String::new()
            }))
        }
    }

    fn scheduler() -> (Arc<Scheduler>, Note) {
        let clock: Arc<dyn Clock> = Arc::new(Virtual(tokio::time::Instant::now()));
        let (registry, note) = (Arc::new(Registry::new()), Note::default());
        registry.add(Arc::new(note.clone()));
        let bus = Arc::new(Bus::new(Arc::default(), clock.clone()));
        (Scheduler::new(registry, clock, bus, Handle::current()), note)
    }

    async fn after(seconds: u64) {
        tokio::time::sleep(Duration::from_secs(seconds)).await;
    }

    fn noted(note: &Note) -> Vec<String> {
        note.0.lock().expect("unpoisoned").clone()
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_runs_once_at_its_time() {
        let (scheduler, note) = scheduler();
        assert_eq!(scheduler.add(START + 100, 0, "none", "note a"), Some(1));
        assert_eq!(scheduler.add(START + 50, 0, "none", "note b"), Some(2));
        after(49).await;
        assert!(noted(&note).is_empty());
        after(2).await;
        assert_eq!(noted(&note), ["b"]);
        after(70).await;
        assert_eq!(noted(&note), ["b", "a"]);
        assert!(scheduler.tasks().is_empty());
    }

    /// Ten seconds of work and thirty of rest.
    #[tokio::test(start_paused = true)]
    async fn a_task_can_run_again_and_again() {
        let (scheduler, note) = scheduler();
        let id = scheduler.add(START + 30, 30, "g", "note x").expect("room");
        after(115).await;
        assert_eq!(noted(&note).len(), 3);
        assert!(scheduler.delete(id), "deleted while it runs");
        after(300).await;
        assert_eq!(noted(&note).len(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn groups_are_deleted_whole() {
        let (scheduler, note) = scheduler();
        for group in ["a", "b", "a"] {
            scheduler.add(START + 10, 0, group, "note x").expect("room");
        }
        assert_eq!(scheduler.delete_group("a"), 2);
        assert_eq!(scheduler.delete_group("A"), 0);
        after(30).await;
        assert_eq!(noted(&note).len(), 1);
        assert!(!scheduler.delete(2));
    }

    #[tokio::test(start_paused = true)]
    async fn there_is_a_limit() {
        let (scheduler, _) = scheduler();
        for _ in 0..MAX_TASKS {
            scheduler.add(START + 10, 0, "g", "note x").expect("room");
        }
        assert_eq!(scheduler.add(START + 10, 0, "g", "note x"), None);
        assert_eq!(scheduler.delete_group("g"), MAX_TASKS);
    }
}
