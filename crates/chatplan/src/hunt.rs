//! One message's way through a plan. FreeSWITCH mod_sms.c `chatplan_hunt` and `parse_exten`.

mod actions;
mod judge;

use std::mem;
use std::sync::Arc;

use chappe_event::{Event, Expand, Expansion, LogLevel, header};

use self::actions::Pending;
use crate::expression::{Compiled, Pattern};
use crate::filter::Candidates;
use crate::limits::MAX_EXPANDED;
use crate::plan::{Condition, Extension, Source};
use crate::trace::say;
use crate::{Answer, Hunted, Plan, Step, Trace, World};

/// A hunt under way. Ask [`next`](Self::next) until it says [`Step::Done`].
pub struct Hunt {
    plan: Arc<Plan>,
    stage: Stage,
    context: usize,
    extension: usize,
    condition: usize,
    /// FreeSWITCH's `proceed`: the extension ends the hunt unless it says `continue`.
    proceed: bool,
    /// The condition looked at last held.
    passed: bool,
    hunted: Hunted,
    /// The extensions that the message may concern, as long as it is the same.
    candidates: Option<Candidates>,
    /// Actions collected or run so far.
    spent: usize,
}

enum Stage {
    Begin,
    AltPath { path: String },
    Context,
    Extension,
    Condition,
    Expression(Box<Expansion>),
    Field { expression: Arc<Compiled>, expansion: Box<Expansion> },
    Actions(Pending),
    AfterCondition,
    AfterExtension,
    Over,
}

impl Hunt {
    pub fn start(plan: &Arc<Plan>) -> Self {
        Self {
            plan: plan.clone(),
            stage: Stage::Begin,
            context: 0,
            extension: 0,
            condition: 0,
            proceed: false,
            passed: false,
            hunted: Hunted::default(),
            candidates: None,
            spent: 0,
        }
    }

    /// Goes on until something is asked for or the hunt is over. `answer` is what the last step asked for.
    pub fn next(
        &mut self,
        message: &mut Event,
        world: &World<'_>,
        answer: Answer,
        trace: &mut dyn Trace,
    ) -> Step {
        // The message is in others' hands meanwhile.
        self.candidates = None;
        let mut answer = Some(answer);
        if let Stage::AltPath { path } = &self.stage {
            let path = path.clone();
            self.alt_path(&path, answer.take(), trace);
        }
        let plan = &*self.plan.clone();
        let view = View { plan, world };
        loop {
            let step = match mem::replace(&mut self.stage, Stage::Over) {
                Stage::Begin => self.begin(message, trace),
                Stage::Context => self.find_context(plan, message, trace),
                Stage::Extension => self.begin_extension(plan, message, trace),
                Stage::Condition => self.begin_condition(&view, message, trace),
                Stage::Expression(expansion) => {
                    self.expression(&view, expansion, message, answer.take(), trace)
                }
                Stage::Field { expression, expansion } => {
                    self.field(&view, expression, expansion, message, answer.take(), trace)
                }
                Stage::Actions(pending) => self.actions(plan, pending, message, trace),
                Stage::AfterCondition => self.after_condition(plan),
                Stage::AfterExtension => self.after_extension(plan),
                Stage::AltPath { .. } | Stage::Over => return Step::Done(mem::take(&mut self.hunted)),
            };
            if let Some(step) = step {
                return step;
            }
        }
    }

    fn begin(&mut self, message: &Event, trace: &mut dyn Trace) -> Option<Step> {
        say!(
            trace,
            Info,
            "Processing text message {}->{} in context {}",
            either(message, header::FROM_USER, header::FROM),
            either(message, header::TO_USER, header::TO),
            context(message)
        );
        let path = message.get(ALT_PATH).filter(|path| !path.is_empty());
        let Some(path) = path.map(str::to_owned) else {
            self.stage = Stage::Context;
            return None;
        };
        self.stage = Stage::AltPath { path: path.clone() };
        Some(Step::File { path })
    }

    /// Goes on in the plan of another file, or nowhere when there is none.
    fn alt_path(&mut self, path: &str, answer: Option<Answer>, trace: &mut dyn Trace) {
        let Some(Answer::File(Some(plan))) = answer else {
            say!(trace, Err, "Open of [{path}] failed");
            self.stage = Stage::Over;
            return;
        };
        say!(trace, Debug, "Getting chatplan from alternate path: {path}");
        self.plan = plan;
        self.stage = Stage::Context;
    }

    fn find_context(&mut self, plan: &Plan, message: &Event, trace: &mut dyn Trace) -> Option<Step> {
        let Some(found) = plan.context(context(message)) else {
            say!(trace, Warning, "Context {} not found", context(message));
            return None;
        };
        self.context = found;
        self.stage = Stage::Extension;
        None
    }

    fn begin_extension(&mut self, plan: &Plan, message: &Event, trace: &mut dyn Trace) -> Option<Step> {
        // Whoever reads the trace sees each extension.
        if !trace.wanted(LogLevel::Debug) {
            self.pass_over(plan, message);
        }
        let extension = plan.contexts[self.context].extensions.get(self.extension)?;
        say!(
            trace,
            clean Debug,
            "Chatplan: {} parsing [{}->{}] continue={}",
            either(message, header::TO_USER, header::TO),
            context(message),
            extension.name.as_deref().unwrap_or("UNKNOWN"),
            extension.continue_text.as_deref().unwrap_or("false")
        );
        self.condition = 0;
        self.proceed = false;
        self.passed = false;
        self.stage = Stage::Condition;
        None
    }

    /// Goes to the next extension in which something may happen.
    fn pass_over(&mut self, plan: &Plan, message: &Event) {
        let context = &plan.contexts[self.context];
        let Some(filter) = &context.filter else { return };
        let from = self.extension;
        let candidates = self.candidates.get_or_insert_with(|| filter.candidates(message, from));
        self.extension = candidates.next(filter, from).unwrap_or(context.extensions.len());
    }

    fn begin_condition(&mut self, view: &View<'_>, message: &Event, trace: &mut dyn Trace) -> Option<Step> {
        let Some(condition) = self.extension(view.plan).conditions.get(self.condition) else {
            self.stage = Stage::AfterExtension;
            return None;
        };
        if condition.nested {
            say!(trace, Err, "Nested conditions are not allowed!");
            self.proceed = true;
            self.passed = false;
            self.stage = Stage::AfterExtension;
            return None;
        }
        match &condition.expression {
            Pattern::Fixed(compiled) => self.judge_time(view, compiled, message, trace),
            Pattern::Expanded(text) => {
                self.stage = Stage::Expression(Box::new(Expansion::new(text, view.world.rules)));
                None
            }
        }
    }

    fn expression(
        &mut self,
        view: &View<'_>,
        mut expansion: Box<Expansion>,
        message: &Event,
        answer: Option<Answer>,
        trace: &mut dyn Trace,
    ) -> Option<Step> {
        match expand(&mut expansion, message, view.world, answer) {
            Ok(text) => {
                let compiled = Arc::new(Compiled::cached(text));
                if let Err(error) = compiled.expression.as_ref() {
                    say!(trace, Err, "{error}");
                }
                self.judge_time(view, &compiled, message, trace)
            }
            Err(step) => {
                self.stage = Stage::Expression(expansion);
                Some(step)
            }
        }
    }

    fn field(
        &mut self,
        view: &View<'_>,
        expression: Arc<Compiled>,
        mut expansion: Box<Expansion>,
        message: &mut Event,
        answer: Option<Answer>,
        trace: &mut dyn Trace,
    ) -> Option<Step> {
        match expand(&mut expansion, message, view.world, answer) {
            Ok(text) => self.judge_field(view.plan, &expression, Some(text), message, trace),
            Err(step) => {
                self.stage = Stage::Field { expression, expansion };
                Some(step)
            }
        }
    }

    fn after_condition(&mut self, plan: &Plan) -> Option<Step> {
        let leave = self.condition(plan).break_on.leaves(self.passed);
        self.condition += 1;
        self.stage = if leave { Stage::AfterExtension } else { Stage::Condition };
        None
    }

    fn after_extension(&mut self, plan: &Plan) -> Option<Step> {
        if self.proceed && !self.extension(plan).continues {
            self.hunted.matched = self.passed;
            return None;
        }
        self.extension += 1;
        self.stage = Stage::Extension;
        None
    }

    fn extension<'p>(&self, plan: &'p Plan) -> &'p Extension {
        &plan.contexts[self.context].extensions[self.extension]
    }

    fn condition<'p>(&self, plan: &'p Plan) -> &'p Condition {
        &self.extension(plan).conditions[self.condition]
    }

    /// The name that FreeSWITCH gives an extension in all lines but that of its beginning.
    fn extension_name<'p>(&self, plan: &'p Plan) -> &'p str {
        self.extension(plan).name.as_deref().unwrap_or("_anon_")
    }

    /// Looks at the field next, whose text may have to be asked for.
    fn judge_next(
        &mut self,
        view: &View<'_>,
        expression: &Arc<Compiled>,
        message: &Event,
        trace: &mut dyn Trace,
    ) -> Option<Step> {
        match &self.condition(view.plan).field {
            Some(field) if field.source == Source::Expanded => {
                let expansion = Box::new(Expansion::new(&field.text, view.world.rules));
                self.stage = Stage::Field { expression: expression.clone(), expansion };
                None
            }
            _ => self.judge_field(view.plan, expression, None, message, trace),
        }
    }
}

/// What a condition is judged by, besides the message.
struct View<'a> {
    plan: &'a Plan,
    world: &'a World<'a>,
}

const ALT_PATH: &str = "alt_path";

/// The context a message is in.
fn context(message: &Event) -> &str {
    message.get(header::CONTEXT).unwrap_or("default")
}

/// One header or, in its absence, another; C's word for neither.
fn either<'m>(message: &'m Event, first: &str, second: &str) -> &'m str {
    message.get(first).or_else(|| message.get(second)).unwrap_or("(null)")
}

/// The expanded text, cut to what one may take, or the question that comes first.
fn expand(
    expansion: &mut Expansion,
    message: &Event,
    world: &World<'_>,
    answer: Option<Answer>,
) -> Result<String, Step> {
    let answer = match answer {
        Some(Answer::Api(text)) => Some(text),
        _ => None,
    };
    match expansion.next(message, world.globals, answer) {
        Expand::Done(mut text) => {
            text.truncate(text.floor_char_boundary(MAX_EXPANDED));
            Ok(text)
        }
        Expand::Api { command, args } => Err(Step::Api { command, args }),
    }
}
