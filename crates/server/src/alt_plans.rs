//! The chatplans in files of their own, which a message's `alt_path` names.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use chappe_chat::AltPlans;
use chappe_chatplan::Plan;

use crate::diagnosis;

/// Files kept compiled. When more are asked for, all are forgotten and read again.
const CAPACITY: usize = 256;

/// Plans by path, read again when the file changes.
#[derive(Default)]
pub struct PlanFiles {
    plans: Mutex<HashMap<String, Compiled>>,
}

#[derive(Clone)]
struct Compiled {
    modified: SystemTime,
    plan: Option<Arc<Plan>>,
}

impl AltPlans for PlanFiles {
    fn plan(&self, path: &str) -> Option<Arc<Plan>> {
        let modified = std::fs::metadata(path).and_then(|file| file.modified()).ok()?;
        let mut plans = self.plans.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = plans.get(path).filter(|known| known.modified == modified) {
            return known.plan.clone();
        }
        if plans.len() >= CAPACITY {
            plans.clear();
        }
        let plan = compile(Path::new(path));
        plans.insert(path.to_owned(), Compiled { modified, plan: plan.clone() });
        plan
    }
}

fn compile(path: &Path) -> Option<Arc<Plan>> {
    let text = std::fs::read(path)
        .inspect_err(|error| tracing::error!("failed to read {}: {error}", path.display()));
    let text = String::from_utf8_lossy(&text.ok()?).into_owned();
    let (plan, diagnostics) = Plan::parse(&text, &path.to_string_lossy());
    diagnosis::log(&diagnostics);
    plan.map(Arc::new)
}
