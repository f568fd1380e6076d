//! A profile's bindings in the store, in its times and words.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chappe_event::Clock;
use chappe_sip_msg::Uri;
use chappe_sip_proto::registrar::{Aor, Applied, Binding, BindingParts};
use chappe_sip_proto::{Peer, Transport};
use chappe_store::{Done, KeptBinding, Micros, Pieces, Store};
use smallvec::SmallVec;

/// The most that the params let a profile grant: a binding that is kept for longer was written under a wrong clock.
const LONGEST: Duration = Duration::from_secs(31_536_000);

/// Tells the store what becomes of a profile's bindings.
pub struct Keeper {
    pub profile: Arc<str>,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
}

/// What a row of the store can't be.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Unreadable {
    #[error("its user is no address-of-record")]
    Aor,
    #[error("its contact is no SIP address")]
    Contact,
    #[error("a hop of its path is no SIP address")]
    Path,
    #[error("its transport is none that there is")]
    Transport,
    #[error("its Call-ID has white space or control characters")]
    CallId,
    #[error("its flow has control characters")]
    Flow,
    #[error("it is too long")]
    TooLong,
}

/// One moment on both clocks: the registrar's, which nobody sets, and the store's, which outlives a restart.
#[derive(Clone, Copy)]
pub struct Moment {
    pub instant: Instant,
    unix: Micros,
}

impl Keeper {
    pub fn new(profile: Arc<str>, store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Self {
        Self { profile, store, clock }
    }

    /// What a REGISTER has changed of a user's bindings, all of which are `left` now.
    pub fn changed(&self, aor: &Aor, applied: &Applied, left: &[Arc<Binding>]) {
        for binding in &applied.gone {
            self.gone(aor, binding, left);
        }
        if applied.added.is_empty() && applied.refreshed.is_empty() {
            return;
        }
        let now = self.now();
        for binding in applied.added.iter().chain(&applied.refreshed) {
            self.store.bind(kept(&self.profile, aor, binding, now));
        }
    }

    /// One binding has gone. It is forgotten unless one of those that are `left` has its key: a REGISTER that comes
    /// after a binding ran out makes another one before that is taken out.
    pub fn gone(&self, aor: &Aor, gone: &Binding, left: &[Arc<Binding>]) {
        let is_same =
            |binding: &Arc<Binding>| binding.contact() == gone.contact() && binding.flow() == gone.flow();
        if !left.iter().any(is_same) {
            self.store.unbind(&self.profile, aor.as_str(), gone.contact(), gone.flow());
        }
    }

    /// What was live when the store was written and is so at `now`.
    pub fn read(&self, now: Moment, pieces: Pieces) -> Done<()> {
        self.store.each_binding(&self.profile, now.unix, pieces)
    }

    pub fn now(&self) -> Moment {
        Moment { instant: Instant::now(), unix: self.clock.unix_micros() }
    }
}

fn kept(profile: &Arc<str>, aor: &Aor, binding: &Binding, now: Moment) -> KeptBinding {
    KeptBinding {
        profile: profile.clone(),
        aor: aor.text().clone(),
        contact: binding.contact().into(),
        q: binding.q(),
        expires: now.unix_of(binding.expires_at()),
        since: now.unix_of(binding.since()),
        call_id: binding.call_id().into(),
        cseq: binding.cseq(),
        path: binding.path().map(Box::from).collect(),
        received: binding.received().addr,
        transport: Cow::Borrowed(binding.received().transport.as_str()),
        user_agent: binding.user_agent().clone(),
        flow: binding.flow().into(),
        is_nat: binding.is_nat(),
    }
}

/// A binding as it was, but for the connection it came by, which is gone.
///
/// What it says ends up in requests: a row that was damaged must not be able to write header lines of its own.
pub fn binding(kept: &KeptBinding, now: Moment) -> Result<(Aor, Binding), Unreadable> {
    let path: SmallVec<[&str; 2]> = kept.path.iter().map(|hop| &**hop).collect();
    let parts = BindingParts {
        received: Peer { transport: check(kept)?, addr: kept.received, connection: None },
        contact: &kept.contact,
        q: kept.q.min(1000),
        expires_at: now.instant_of(kept.expires).min(now.instant + LONGEST),
        since: now.instant_of(kept.since).min(now.instant),
        call_id: &kept.call_id,
        flow: &kept.flow,
        cseq: kept.cseq,
        path: &path,
        user_agent: kept.user_agent.clone(),
        is_nat: kept.is_nat,
    };
    let binding = Binding::new(&parts).ok_or(Unreadable::TooLong)?;
    Ok((Aor::new(kept.aor.clone()), binding))
}

fn check(kept: &KeptBinding) -> Result<Transport, Unreadable> {
    let is_uri = |text: &str| Uri::parse(text.as_bytes()).is_ok();
    // Control characters of ASCII are told by their octets, the others are two octets long.
    let is_printable = |text: &str| match text.is_ascii() {
        true => !text.bytes().any(|octet| octet.is_ascii_control()),
        false => !text.contains(char::is_control),
    };
    let is_aor = kept.aor.rsplit_once('@').is_some_and(|(user, host)| !user.is_empty() && !host.is_empty());
    if !is_aor || !is_printable(&kept.aor) {
        return Err(Unreadable::Aor);
    }
    if !is_uri(&kept.contact) {
        return Err(Unreadable::Contact);
    }
    if !kept.path.iter().all(|hop| is_uri(hop)) {
        return Err(Unreadable::Path);
    }
    if !is_printable(&kept.call_id) || kept.call_id.contains(' ') {
        return Err(Unreadable::CallId);
    }
    if !is_printable(&kept.flow) {
        return Err(Unreadable::Flow);
    }
    Transport::parse(kept.transport.as_bytes()).ok_or(Unreadable::Transport)
}

impl Moment {
    fn unix_of(self, at: Instant) -> Micros {
        let micros = |span: Duration| Micros::try_from(span.as_micros()).unwrap_or(Micros::MAX);
        match at.checked_duration_since(self.instant) {
            Some(later) => self.unix.saturating_add(micros(later)),
            None => self.unix.saturating_sub(micros(self.instant.saturating_duration_since(at))),
        }
    }

    /// What no [`Instant`] can say is this moment.
    fn instant_of(self, at: Micros) -> Instant {
        let span = Duration::from_micros(at.abs_diff(self.unix));
        let instant =
            if at >= self.unix { self.instant.checked_add(span) } else { self.instant.checked_sub(span) };
        instant.unwrap_or(self.instant)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Micros = 1_790_000_000_000_000;

    fn row() -> KeptBinding {
        KeptBinding {
            profile: "internal".into(),
            aor: "1000@chat.test".into(),
            contact: "sip:1000@192.0.2.1:5070".into(),
            q: 500,
            expires: NOON + 60_000_000,
            since: NOON - 10_000_000,
            call_id: "c@192.0.2.1".into(),
            cseq: 7,
            path: vec!["sip:192.0.2.9;lr".into()],
            received: "192.0.2.1:1024".parse().unwrap(),
            transport: "TCP".into(),
            user_agent: "phone".into(),
            flow: "1;<urn:uuid:0>".into(),
            is_nat: true,
        }
    }

    fn moment() -> Moment {
        Moment { instant: Instant::now(), unix: NOON }
    }

    #[test]
    fn what_is_kept_comes_back_as_it_was() {
        let (now, later) = (moment(), Moment { unix: NOON + 20_000_000, ..moment() });
        let (aor, binding) = binding(&row(), now).unwrap();
        assert_eq!(kept(&"internal".into(), &aor, &binding, now), row());
        assert_eq!((binding.q(), binding.cseq(), binding.received().connection), (500, 7, None));
        assert_eq!(binding.remaining(now.instant), Duration::from_secs(60));
        let (_, older) = super::binding(&row(), later).unwrap();
        assert_eq!(older.remaining(later.instant), Duration::from_secs(40));
        assert_eq!(later.instant - older.since(), Duration::from_secs(30));
    }

    #[test]
    fn times_of_another_clock_are_cut() {
        let now = moment();
        let wrong = KeptBinding { expires: Micros::MAX, since: Micros::MAX, ..row() };
        let (_, binding) = binding(&wrong, now).unwrap();
        assert_eq!((binding.remaining(now.instant), binding.since()), (LONGEST, now.instant));
        let past = KeptBinding { expires: Micros::MIN, since: Micros::MIN, ..row() };
        let (_, binding) = super::binding(&past, now).unwrap();
        assert!(!binding.is_live(now.instant));
    }

    #[test]
    fn what_can_not_be_a_binding_is_told_from_what_can() {
        let cases = [
            (KeptBinding { aor: "1000".into(), ..row() }, Unreadable::Aor),
            (KeptBinding { aor: "@chat.test".into(), ..row() }, Unreadable::Aor),
            (KeptBinding { aor: "1\r\n@chat.test".into(), ..row() }, Unreadable::Aor),
            (KeptBinding { contact: "nowhere".into(), ..row() }, Unreadable::Contact),
            (KeptBinding { contact: "sip:a@h\r\nX-Evil: 1".into(), ..row() }, Unreadable::Contact),
            (KeptBinding { path: vec!["sip:h>,<sip:g".into()], ..row() }, Unreadable::Path),
            (KeptBinding { transport: "SCTP".into(), ..row() }, Unreadable::Transport),
            (KeptBinding { call_id: "a b".into(), ..row() }, Unreadable::CallId),
            (KeptBinding { flow: "1;\n".into(), ..row() }, Unreadable::Flow),
            (
                KeptBinding { contact: format!("sip:{}@h", "a".repeat(66_000)).into(), ..row() },
                Unreadable::TooLong,
            ),
        ];
        for (row, want) in cases {
            assert_eq!(binding(&row, moment()).unwrap_err(), want);
        }
    }
}
