//! The registration at a gateway and the pings that tell whether it is there: a state machine without I/O.
//!
//! [`Registration::handle`] takes what happened and the time, [`Registration::poll`] is drained after it, and
//! [`Registration::poll_timeout`] says when to come back with [`Input::Timeout`].
//! FreeSWITCH sofia_reg.c sofia_reg_check_gateway, sofia.c sofia_handle_sip_r_options.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::config::GatewayConfig;

/// FreeSWITCH's code for a REGISTER that nobody answered.
const UNANSWERED: u16 = 908;
/// The longest wait after refusals in a row.
const LONGEST_RETRY: Duration = Duration::from_secs(3600);
/// The longest expiry that a registrar can talk us into, RFC 3261 §10.3 step 7.
const LONGEST_EXPIRY: u32 = 604_800;
/// How long the answer to the last REGISTER is waited for.
const FAREWELL: Duration = Duration::from_secs(32);

/// FreeSWITCH's states, in its words.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    Unreged,
    Trying,
    Register,
    Reged,
    Unregister,
    Failed,
    FailWait,
    Expired,
    NoReg,
    Down,
    Timeout,
}

impl State {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unreged => "UNREGED",
            Self::Trying => "TRYING",
            Self::Register => "REGISTER",
            Self::Reged => "REGED",
            Self::Unregister => "UNREGISTER",
            Self::Failed => "FAILED",
            Self::FailWait => "FAIL_WAIT",
            Self::Expired => "EXPIRED",
            Self::NoReg => "NOREG",
            Self::Down => "DOWN",
            Self::Timeout => "TIMEOUT",
        }
    }

    /// Whether the next REGISTER's time is shown.
    pub fn is_retried(self) -> bool {
        matches!(self, Self::Failed | Self::FailWait | Self::Trying)
    }
}

/// What happened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Input {
    /// Time has passed.
    Timeout,
    /// The final answer to the REGISTER of this attempt.
    Answered {
        attempt: u32,
        answer: Answer,
    },
    /// The REGISTER of this attempt was not answered at all.
    Unanswered {
        attempt: u32,
    },
    /// The final answer to the ping.
    PingAnswered {
        code: u16,
        phrase: String,
    },
    PingUnanswered,
    /// Somebody wants it registered now.
    Register,
    /// Somebody wants it no longer registered.
    Unregister,
}

/// A final answer to REGISTER.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Answer {
    pub code: u16,
    pub phrase: String,
    /// The expiry of our contact.
    pub expires: Option<u32>,
    /// Min-Expires.
    pub min_expires: Option<u32>,
    pub retry_after: Option<u32>,
}

/// What is to be done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Output {
    /// Send a REGISTER; 0 removes the binding.
    Register { attempt: u32, expires: u32 },
    /// Send an OPTIONS.
    Ping,
    /// The state or the status is another one.
    Changed(Change),
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    pub state: State,
    pub up: bool,
    /// 0: no answer made it.
    pub code: u16,
    pub phrase: String,
}

/// What of the configuration it goes by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Schedule {
    pub register: bool,
    pub expires: u32,
    pub retry: Duration,
    /// Zero: as `retry`.
    pub retry_unanswered: Duration,
    pub timeout: Duration,
    /// Zero: none.
    pub ping: Duration,
    pub ping_max: u32,
    pub ping_min: u32,
    pub ping_monitoring: bool,
}

impl Schedule {
    pub fn of(config: &GatewayConfig) -> Self {
        let seconds = |seconds: u32| Duration::from_secs(u64::from(seconds));
        Self {
            register: config.register,
            expires: config.expire_seconds,
            retry: seconds(config.retry_seconds),
            retry_unanswered: seconds(config.retry_unanswered),
            timeout: seconds(config.timeout_seconds),
            ping: seconds(config.ping),
            ping_max: config.ping_max,
            ping_min: config.ping_min,
            ping_monitoring: config.ping_monitoring,
        }
    }
}

#[derive(Debug)]
pub struct Registration {
    schedule: Schedule,
    state: State,
    up_since: Option<Instant>,
    failures: u32,
    attempt: u32,
    asked: u32,
    /// Whether the registrar's own least expiry was asked for in this attempt.
    raised: bool,
    /// When the state ends by itself.
    due: Option<Instant>,
    /// When the binding that was granted runs out.
    expires_at: Option<Instant>,
    ping: Pings,
    outputs: VecDeque<Output>,
}

#[derive(Debug, Default)]
struct Pings {
    due: Option<Instant>,
    sent: Option<Instant>,
    good: u32,
    took: Duration,
}

impl Registration {
    pub fn new(schedule: Schedule, now: Instant) -> Self {
        let register = schedule.register;
        let ping = (schedule.ping > Duration::ZERO).then(|| now + schedule.ping);
        Self {
            schedule,
            state: if register { State::Unreged } else { State::NoReg },
            up_since: (!register).then_some(now),
            failures: 0,
            attempt: 0,
            asked: schedule.expires,
            raised: false,
            due: register.then_some(now),
            expires_at: None,
            ping: Pings { due: ping, ..Pings::default() },
            outputs: VecDeque::new(),
        }
    }

    pub fn state(&self) -> State {
        self.state
    }

    pub fn is_up(&self) -> bool {
        self.up_since.is_some()
    }

    pub fn up_since(&self) -> Option<Instant> {
        self.up_since
    }

    pub fn due(&self) -> Option<Instant> {
        self.due
    }

    pub fn ping_due(&self) -> Option<Instant> {
        self.ping.due
    }

    pub fn is_pinging(&self) -> bool {
        self.ping.sent.is_some()
    }

    pub fn good_pings(&self) -> u32 {
        self.ping.good
    }

    pub fn ping_took(&self) -> Duration {
        self.ping.took
    }

    /// Whether a binding may stand at the registrar.
    pub fn is_bound(&self) -> bool {
        self.expires_at.is_some()
    }

    /// When to come back with [`Input::Timeout`].
    pub fn poll_timeout(&self) -> Option<Instant> {
        let ping = self.ping.due.filter(|_| self.may_ping());
        self.due.into_iter().chain(ping).min()
    }

    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    pub fn handle(&mut self, now: Instant, input: Input) {
        match input {
            Input::Timeout => self.timeout(now),
            Input::Answered { attempt, answer } if attempt == self.attempt => self.answered(now, answer),
            Input::Unanswered { attempt } if attempt == self.attempt => self.unanswered(now),
            Input::Answered { .. } | Input::Unanswered { .. } => {}
            Input::PingAnswered { code, phrase } => self.pinged(now, code, phrase),
            Input::PingUnanswered => self.pinged(now, 408, "Request Timeout".to_owned()),
            Input::Register if self.state != State::NoReg => self.begin(now),
            Input::Unregister if self.state != State::NoReg => self.unregister(now),
            Input::Register | Input::Unregister => {}
        }
    }

    fn timeout(&mut self, now: Instant) {
        if self.due.is_some_and(|due| due <= now) {
            match self.state {
                State::Trying | State::Unregister => self.unanswered(now),
                _ => self.begin(now),
            }
        }
        if self.may_ping() && self.ping.due.is_some_and(|due| due <= now) {
            self.ping.due = None;
            self.ping.sent = Some(now);
            self.outputs.push_back(Output::Ping);
        }
    }

    fn may_ping(&self) -> bool {
        !self.is_pinging() && matches!(self.state, State::NoReg | State::Reged)
    }

    /// A new REGISTER with everything that belongs to it.
    fn begin(&mut self, now: Instant) {
        if self.expires_at.is_some_and(|at| at <= now) {
            self.expires_at = None;
            self.enter(State::Expired, 0, "");
        }
        if self.state != State::Unreged {
            self.enter(State::Unreged, 0, "");
        }
        self.raised = false;
        self.send(self.schedule.expires);
        self.due = Some(now + self.schedule.timeout);
        self.enter(State::Trying, 0, "");
    }

    fn send(&mut self, expires: u32) {
        self.attempt = self.attempt.wrapping_add(1);
        self.asked = expires;
        self.outputs.push_back(Output::Register { attempt: self.attempt, expires });
    }

    fn enter(&mut self, state: State, code: u16, phrase: &str) {
        self.state = state;
        self.change(code, phrase);
    }

    fn change(&mut self, code: u16, phrase: &str) {
        let change = Change { state: self.state, up: self.is_up(), code, phrase: phrase.to_owned() };
        self.outputs.push_back(Output::Changed(change));
    }

    fn answered(&mut self, now: Instant, answer: Answer) {
        match (self.state, answer.code) {
            (State::Unregister, _) => self.gone(),
            (State::Trying, 200..300) => self.registered(now, &answer),
            (State::Trying, 423) if self.ask_for_more(&answer) => {}
            (State::Trying, code) => self.refused(now, code, &answer),
            _ => {}
        }
    }

    /// RFC 3261 §10.2.8: once more, with the expiry that the registrar names.
    fn ask_for_more(&mut self, answer: &Answer) -> bool {
        let least = answer.min_expires.filter(|least| *least > self.asked && *least <= LONGEST_EXPIRY);
        let Some(least) = least.filter(|_| !self.raised) else { return false };
        self.raised = true;
        self.send(least);
        true
    }

    fn registered(&mut self, now: Instant, answer: &Answer) {
        let granted = answer.expires.filter(|granted| *granted > 0).unwrap_or(self.asked).min(LONGEST_EXPIRY);
        self.failures = 0;
        self.expires_at = Some(now + Duration::from_secs(u64::from(granted)));
        self.due = Some(now + refresh(granted));
        self.enter(State::Register, answer.code, &answer.phrase);
        self.up_since.get_or_insert(now);
        self.enter(State::Reged, 0, "");
    }

    fn unanswered(&mut self, now: Instant) {
        match self.state {
            State::Unregister => self.gone(),
            State::Trying => {
                // A late answer is nobody's.
                self.attempt = self.attempt.wrapping_add(1);
                self.enter(State::Timeout, 0, "");
                self.refused(now, UNANSWERED, &Answer { phrase: "Timeout".to_owned(), ..Answer::default() });
            }
            _ => {}
        }
    }

    fn refused(&mut self, now: Instant, code: u16, answer: &Answer) {
        self.failures = self.failures.saturating_add(1);
        self.lose(now, self.wait(code, answer.retry_after), code, &answer.phrase);
    }

    /// FreeSWITCH sofia_reg.c: a busy or silent registrar is asked again as often as ever, one that refuses less and less
    /// often. Retry-After is heeded besides, RFC 3261 §20.33.
    fn wait(&self, code: u16, retry_after: Option<u32>) -> Duration {
        let Schedule { retry, retry_unanswered, .. } = self.schedule;
        let wait = match code {
            UNANSWERED if retry_unanswered > Duration::ZERO => retry_unanswered,
            503 | UNANSWERED => retry,
            _ => retry.saturating_mul(self.failures.max(1)).min(LONGEST_RETRY.max(retry)),
        };
        let asked = Duration::from_secs(u64::from(retry_after.unwrap_or(0)));
        wait.max(asked.min(LONGEST_RETRY))
    }

    fn lose(&mut self, now: Instant, wait: Duration, code: u16, phrase: &str) {
        self.up_since = None;
        self.due = Some(now + wait);
        self.enter(State::Failed, code, phrase);
        self.enter(State::FailWait, 0, "");
    }

    fn unregister(&mut self, now: Instant) {
        if matches!(self.state, State::Unregister | State::Down) {
            return;
        }
        self.up_since = None;
        // Only a binding that may be there has to be removed.
        if !self.is_bound() && self.state != State::Trying {
            self.attempt = self.attempt.wrapping_add(1);
            return self.gone();
        }
        self.send(0);
        self.due = Some(now + FAREWELL);
        self.enter(State::Unregister, 0, "");
    }

    fn gone(&mut self) {
        self.expires_at = None;
        self.due = None;
        self.up_since = None;
        self.enter(State::Down, 0, "");
    }

    fn pinged(&mut self, now: Instant, code: u16, phrase: String) {
        let Some(sent) = self.ping.sent.take() else { return };
        self.ping.due = Some(now + self.schedule.ping);
        let was_up = self.is_up();
        if matches!(code, 200..=599) && !matches!(code, 408 | 503) {
            self.ping.took = now.saturating_duration_since(sent);
            self.ping.good = (self.ping.good + 1).min(self.schedule.ping_max);
            let enough = self.ping.good >= self.schedule.ping_min.min(self.schedule.ping_max);
            if enough && matches!(self.state, State::NoReg | State::Reged) {
                self.up_since.get_or_insert(now);
            }
        } else {
            self.ping.took = Duration::ZERO;
            self.ping.good = self.ping.good.saturating_sub(1);
            if self.ping.good < self.schedule.ping_min {
                // Deviation: FreeSWITCH gives a registration up at the first ping that fails, whatever ping-min says.
                if self.state == State::Reged {
                    return self.lose(now, self.schedule.retry, code, &phrase);
                }
                self.up_since = None;
            }
        }
        if self.schedule.ping_monitoring || was_up != self.is_up() {
            self.change(code, &phrase);
        }
    }
}

/// How long before a granted expiry runs out the registration is refreshed: FreeSWITCH sofia_reg.c.
fn refresh(granted: u32) -> Duration {
    let seconds = if granted > 30 { granted - 15 } else { (granted / 2).max(1) };
    Duration::from_secs(u64::from(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEDULE: Schedule = Schedule {
        register: true,
        expires: 600,
        retry: Duration::from_secs(30),
        retry_unanswered: Duration::ZERO,
        timeout: Duration::from_secs(60),
        ping: Duration::ZERO,
        ping_max: 1,
        ping_min: 1,
        ping_monitoring: false,
    };

    /// A machine on a clock of its own, whose outputs are words.
    struct Run {
        machine: Registration,
        start: Instant,
        now: u64,
        attempt: u32,
    }

    impl Run {
        fn new(schedule: Schedule) -> Self {
            let start = Instant::now();
            Self { machine: Registration::new(schedule, start), start, now: 0, attempt: 0 }
        }

        fn give(&mut self, input: Input) -> String {
            self.machine.handle(self.start + Duration::from_secs(self.now), input);
            let mut out = Vec::new();
            while let Some(output) = self.machine.poll() {
                out.push(match output {
                    Output::Register { attempt, expires } => {
                        self.attempt = attempt;
                        format!("send {expires}")
                    }
                    Output::Ping => "ping".to_owned(),
                    Output::Changed(Change { state, up, code, .. }) => {
                        let code = if code > 0 { format!(" {code}") } else { String::new() };
                        format!("{}{}{code}", state.as_str(), if up { "+" } else { "" })
                    }
                });
            }
            out.join(", ")
        }

        /// At its next time, which is told.
        fn next(&mut self) -> String {
            let Some(at) = self.machine.poll_timeout() else { return "never".to_owned() };
            self.now = (at - self.start).as_secs();
            let out = self.give(Input::Timeout);
            format!("@{} {out}", self.now)
        }

        fn answer(&mut self, code: u16, expires: Option<u32>) -> String {
            let answer = Answer { code, expires, ..Answer::default() };
            let attempt = self.attempt;
            self.give(Input::Answered { attempt, answer })
        }
    }

    #[test]
    fn registered_and_refreshed_before_it_runs_out() {
        let mut run = Run::new(SCHEDULE);
        assert_eq!(run.next(), "@0 send 600, TRYING");
        assert_eq!(run.answer(200, Some(600)), "REGISTER 200, REGED+");
        assert_eq!(run.next(), "@585 UNREGED+, send 600, TRYING+");
        assert_eq!(run.answer(200, Some(20)), "REGISTER+ 200, REGED+");
        assert_eq!(run.next(), "@595 UNREGED+, send 600, TRYING+");
        assert_eq!(run.answer(200, None), "REGISTER+ 200, REGED+");
        assert_eq!(run.next(), "@1180 UNREGED+, send 600, TRYING+");
    }

    #[test]
    fn refusals_are_tried_again_less_and_less_often() {
        let mut run = Run::new(SCHEDULE);
        run.next();
        assert_eq!(run.answer(403, None), "FAILED 403, FAIL_WAIT");
        assert_eq!(run.next(), "@30 UNREGED, send 600, TRYING");
        run.answer(403, None);
        assert_eq!(run.next(), "@90 UNREGED, send 600, TRYING");
        run.answer(503, None);
        assert_eq!(run.next(), "@120 UNREGED, send 600, TRYING");
        for _ in 0..200 {
            run.answer(403, None);
            run.next();
        }
        let before = run.now;
        run.answer(403, None);
        run.next();
        assert_eq!(run.now - before, 3600);
        run.answer(200, None);
        run.next();
        run.answer(403, None);
        let before = run.now;
        run.next();
        assert_eq!(run.now - before, 30);
    }

    #[test]
    fn a_busy_registrar_says_when() {
        let mut run = Run::new(SCHEDULE);
        run.next();
        let answer = Answer { code: 503, retry_after: Some(120), ..Answer::default() };
        run.give(Input::Answered { attempt: run.attempt, answer });
        assert_eq!(run.next(), "@120 UNREGED, send 600, TRYING");
    }

    #[test]
    fn silence_is_a_timeout_and_a_late_answer_is_nobodys() {
        let mut run = Run::new(Schedule { retry_unanswered: Duration::from_secs(7), ..SCHEDULE });
        run.next();
        assert_eq!(run.next(), "@60 TIMEOUT, FAILED 908, FAIL_WAIT");
        assert_eq!(run.answer(200, None), "");
        assert_eq!(run.next(), "@67 UNREGED, send 600, TRYING");
        let attempt = run.attempt;
        assert_eq!(run.give(Input::Unanswered { attempt }), "TIMEOUT, FAILED 908, FAIL_WAIT");
    }

    #[test]
    fn an_expiry_that_is_too_brief_is_raised_once() {
        let mut run = Run::new(SCHEDULE);
        run.next();
        let brief = |least| Answer { code: 423, min_expires: Some(least), ..Answer::default() };
        let attempt = run.attempt;
        assert_eq!(run.give(Input::Answered { attempt, answer: brief(900) }), "send 900");
        let attempt = run.attempt;
        assert_eq!(run.give(Input::Answered { attempt, answer: brief(1000) }), "FAILED 423, FAIL_WAIT");
    }

    #[test]
    fn what_was_asleep_for_too_long_has_expired() {
        let mut run = Run::new(SCHEDULE);
        run.next();
        run.answer(200, Some(600));
        run.now = 700;
        assert_eq!(run.give(Input::Timeout), "EXPIRED+, UNREGED+, send 600, TRYING+");
    }

    #[test]
    fn told_to_unregister_and_to_register() {
        let mut run = Run::new(SCHEDULE);
        run.next();
        run.answer(200, Some(600));
        assert_eq!(run.give(Input::Unregister), "send 0, UNREGISTER");
        assert_eq!(run.give(Input::Unregister), "");
        assert_eq!(run.answer(200, None), "DOWN");
        assert_eq!(run.next(), "never");
        assert_eq!(run.give(Input::Register), "UNREGED, send 600, TRYING");
        run.answer(403, None);
        assert_eq!(run.give(Input::Unregister), "DOWN");
        let mut trunk = Run::new(Schedule { register: false, ..SCHEDULE });
        assert_eq!(trunk.give(Input::Register) + &trunk.give(Input::Unregister), "");
        assert!(trunk.machine.is_up());
    }

    #[test]
    fn pings_mark_a_trunk_up_and_down() {
        let ping = Duration::from_secs(10);
        let schedule = Schedule { register: false, ping, ping_max: 3, ping_min: 2, ..SCHEDULE };
        let mut run = Run::new(schedule);
        let good = || Input::PingAnswered { code: 404, phrase: String::new() };
        assert_eq!(run.next(), "@10 ping");
        assert_eq!(run.machine.poll_timeout(), None);
        assert_eq!(run.give(Input::PingUnanswered), "NOREG 408");
        let mut said = Vec::new();
        for input in [good(), good(), good(), good(), Input::PingUnanswered, Input::PingUnanswered] {
            assert!(run.next().ends_with("ping"));
            said.push(run.give(input));
        }
        assert_eq!(said, ["", "NOREG+ 404", "", "", "", "NOREG 408"]);
    }

    #[test]
    fn a_registration_whose_pings_fail_is_made_anew() {
        let ping = Duration::from_secs(10);
        let mut run = Run::new(Schedule { ping, ..SCHEDULE });
        run.next();
        run.answer(200, Some(600));
        assert_eq!(run.next(), "@10 ping");
        assert_eq!(run.give(Input::PingUnanswered), "FAILED 408, FAIL_WAIT");
        assert_eq!(run.next(), "@40 UNREGED, send 600, TRYING");
        assert_eq!(run.answer(200, Some(600)), "REGISTER 200, REGED+");
    }
}
