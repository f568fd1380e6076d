//! The chatplans in files of their own, which a message's `alt_path` names.

use std::collections::HashMap;
use std::io::{Error, ErrorKind, Read};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use chappe_chat::{AltPlans, Opening};
use chappe_chatplan::Plan;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use crate::diagnosis;

/// Files kept compiled. When more are asked for, all are forgotten and read again.
const CAPACITY: usize = 256;

/// Octets of the longest file.
const MAX_SIZE: u64 = 4 << 20;

/// Files looked at at the same time; a message that names one more waits for its turn.
const READERS: usize = 4;

/// Plans by path, read again when the file changes. Files are opened on threads made for blocking.
pub struct PlanFiles {
    runtime: Handle,
    turns: Arc<Semaphore>,
    plans: Arc<Plans>,
}

impl PlanFiles {
    pub fn new(runtime: Handle) -> Self {
        Self { runtime, turns: Arc::new(Semaphore::new(READERS)), plans: Arc::default() }
    }
}

impl AltPlans for PlanFiles {
    fn open(&self, path: &str) -> Opening {
        let (runtime, turns, plans) = (self.runtime.clone(), self.turns.clone(), self.plans.clone());
        let path = path.to_owned();
        Box::pin(async move {
            let turn = turns.acquire_owned().await.ok()?;
            let reading = runtime.spawn_blocking(move || {
                let _turn = turn;
                plans.plan(&path)
            });
            reading.await.ok()?
        })
    }
}

#[derive(Default)]
struct Plans(Mutex<HashMap<String, Compiled>>);

#[derive(Clone)]
struct Compiled {
    modified: SystemTime,
    plan: Option<Arc<Plan>>,
}

impl Plans {
    fn plan(&self, path: &str) -> Option<Arc<Plan>> {
        let modified = modified(path)
            .inspect_err(|error| tracing::error!("failed to open the chatplan {path}: {error}"))
            .ok()?;
        if let Some(known) = self.known(path, modified) {
            return known.plan;
        }
        let plan = compile(Path::new(path));
        let mut plans = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if plans.len() >= CAPACITY {
            plans.clear();
        }
        plans.insert(path.to_owned(), Compiled { modified, plan: plan.clone() });
        plan
    }

    fn known(&self, path: &str, modified: SystemTime) -> Option<Compiled> {
        let plans = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        plans.get(path).filter(|known| known.modified == modified).cloned()
    }
}

/// When the file was changed. Nothing but a file is opened: a pipe would keep its reader for ever.
fn modified(path: &str) -> std::io::Result<SystemTime> {
    let metadata = std::fs::metadata(path)?;
    if !metadata.is_file() {
        return Err(Error::new(ErrorKind::InvalidInput, "it is no file"));
    }
    metadata.modified()
}

fn compile(path: &Path) -> Option<Arc<Plan>> {
    let text =
        read(path).inspect_err(|error| tracing::error!("failed to read {}: {error}", path.display())).ok()?;
    let (plan, diagnostics) = Plan::parse(&text, &path.to_string_lossy());
    diagnosis::log(&diagnostics);
    plan.map(Arc::new)
}

fn read(path: &Path) -> std::io::Result<String> {
    let mut text = Vec::new();
    std::fs::File::open(path)?.take(MAX_SIZE + 1).read_to_end(&mut text)?;
    if text.len() as u64 > MAX_SIZE {
        return Err(Error::new(ErrorKind::InvalidData, format!("it has more than {MAX_SIZE} octets")));
    }
    Ok(String::from_utf8_lossy(&text).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAN: &str =
        "<document><section name=\"chatplan\"><context name=\"default\"/></section></document>";

    fn written(name: &str, folder: &tempfile::TempDir, text: &str) -> String {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("writable");
        path.to_string_lossy().into_owned()
    }

    fn set_time(path: &str, seconds: u64) {
        let file = std::fs::File::options().write(true).open(path).expect("it is there");
        file.set_modified(SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(seconds))
            .expect("settable");
    }

    #[test]
    fn files_are_read_by_other_threads() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = written("plan.xml", &folder, PLAN);
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let files = PlanFiles::new(runtime.handle().clone());
        // More than there are turns, and asked for by a thread that is in no runtime.
        let mut openings: Vec<_> = (0..3 * READERS).map(|_| files.open(&path)).collect();
        openings.push(files.open("/missing.xml"));
        let found = openings.into_iter().map(|opening| runtime.block_on(opening).is_some());
        assert_eq!(found.filter(|found| *found).count(), 3 * READERS);
    }

    #[test]
    fn a_plan_is_kept_until_its_file_changes() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = written("plan.xml", &folder, PLAN);
        let plans = Plans::default();
        set_time(&path, 1);
        let first = plans.plan(&path).expect("a plan");
        assert!(Arc::ptr_eq(&first, &plans.plan(&path).expect("a plan")));
        set_time(&path, 2);
        assert!(!Arc::ptr_eq(&first, &plans.plan(&path).expect("a plan")));
    }

    #[test]
    fn what_is_no_plan_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let large = written("large.xml", &folder, &" ".repeat(MAX_SIZE as usize + 1));
        let plans = Plans::default();
        for path in ["/missing.xml", "/dev/zero", &folder.path().to_string_lossy(), &large] {
            assert!(plans.plan(path).is_none(), "{path}");
        }
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let folder = tempfile::tempdir().expect("a folder");
        let plans = Plans::default();
        for number in 0..CAPACITY + 10 {
            assert!(plans.plan(&written(&format!("{number}.xml"), &folder, PLAN)).is_some());
        }
        assert_eq!(plans.0.lock().expect("nobody panicked").len(), 10);
    }
}
