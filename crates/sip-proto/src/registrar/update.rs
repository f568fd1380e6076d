//! What a REGISTER makes of a user's bindings, worked out beside them so that a refusal changes nothing.

use std::sync::Arc;
use std::time::{Duration, Instant};

use smallvec::SmallVec;

use super::agents::Agents;
use super::bindings::Found;
use super::register::{Contacts, Register, RegisterError, Wanted};
use super::{Binding, BindingParts, Multiple, Policy};

/// What a REGISTER did.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Applied {
    /// All bindings the user has from here on, in the order they were first made: the Contacts of the 200.
    pub bindings: Found,
    /// Those that are new.
    pub added: Found,
    /// Those that were there before, as they are from here on.
    pub refreshed: Found,
    /// Those that are gone.
    pub removed: Found,
    /// What was there before and is so no longer: the removed, and the refreshed as they were.
    pub gone: Found,
}

/// A REGISTER being applied.
pub(super) struct Update<'r, 'm> {
    now: Instant,
    register: &'r Register<'m>,
    policy: &'r Policy,
    first_serial: u64,
    next_serial: u64,
    agents: &'r mut Agents,
    done: Applied,
}

impl<'r, 'm> Update<'r, 'm> {
    pub(super) fn new(
        now: Instant,
        register: &'r Register<'m>,
        policy: &'r Policy,
        first_serial: u64,
        agents: &'r mut Agents,
    ) -> Self {
        let done = Applied::default();
        Self { now, register, policy, first_serial, next_serial: first_serial, agents, done }
    }

    /// RFC 3261 §10.3 steps 6 and 7, on the user's live bindings.
    pub(super) fn run(mut self, live: Found) -> Result<Applied, RegisterError> {
        self.done.bindings = live;
        match &self.register.contacts {
            Contacts::All => self.remove_all()?,
            Contacts::These(these) => {
                these.iter().try_for_each(|wanted| self.bind(wanted))?;
                self.replace_others()?;
            }
        }
        if !self.done.added.is_empty() && self.done.bindings.len() > self.policy.max_bindings {
            return Err(RegisterError::TooMany { max: self.policy.max_bindings });
        }
        if self.policy.full && self.done.added.len() > self.done.removed.len() {
            return Err(RegisterError::Full);
        }
        Ok(self.done)
    }

    fn remove_all(&mut self) -> Result<(), RegisterError> {
        if self.register.expires != Some(0) {
            return Err(RegisterError::Wildcard);
        }
        self.done.bindings.iter().try_for_each(|binding| self.is_newer_than(binding))?;
        self.done.removed = std::mem::take(&mut self.done.bindings);
        Ok(())
    }

    /// RFC 3261 §10.3 step 7: with the same Call-ID only a higher CSeq changes a binding.
    fn is_newer_than(&self, binding: &Binding) -> Result<(), RegisterError> {
        let old = *binding.call_id() == *self.register.call_id && self.register.cseq <= binding.cseq();
        if old { Err(RegisterError::OutOfOrder) } else { Ok(()) }
    }

    fn bind(&mut self, wanted: &Wanted<'_>) -> Result<(), RegisterError> {
        let seconds = self.policy.grant(wanted.expires.or(self.register.expires));
        let seconds = seconds.map_err(|_| RegisterError::TooBrief { min: self.policy.min })?;
        let place = self.place(wanted);
        let before = place.map(|place| self.done.bindings[place].clone());
        let own = before.as_ref().is_some_and(|before| self.is_own(before));
        if let Some(before) = before.as_ref().filter(|_| !own) {
            self.is_newer_than(before)?;
        }
        if seconds == 0 {
            self.unbind(place);
            return Ok(());
        }
        let binding = Arc::new(self.binding(wanted, seconds, before.as_deref())?);
        self.next_serial += 1;
        match place {
            // The same contact twice in one request: the later one counts.
            Some(place) if own => self.correct(place, binding),
            Some(place) => {
                self.done.refreshed.push(binding.clone());
                self.done.bindings[place] = binding;
            }
            None => {
                self.done.added.push(binding.clone());
                self.done.bindings.push(binding);
            }
        }
        Ok(())
    }

    /// RFC 5626 §6: a flow replaces the one of the same instance and number, whatever its contact; others are told apart by
    /// their contacts.
    fn place(&self, wanted: &Wanted<'_>) -> Option<usize> {
        let position = |is: &dyn Fn(&Binding) -> bool| self.done.bindings.iter().position(|known| is(known));
        if wanted.flow.is_empty() {
            return position(&|known| known.is_for(&wanted.uri));
        }
        let same = position(&|known| known.flow() == &*wanted.flow);
        same.or_else(|| position(&|known| known.flow().is_empty() && known.is_for(&wanted.uri)))
    }

    /// Whether it is another flow of a device that this request registers.
    fn is_beside(&self, binding: &Binding) -> bool {
        let Contacts::These(these) = &self.register.contacts else { return false };
        let instance = binding.instance();
        !instance.is_empty() && these.iter().any(|wanted| wanted.instance() == instance)
    }

    /// Whether this very request made it.
    fn is_own(&self, binding: &Binding) -> bool {
        binding.serial() >= self.first_serial
    }

    fn unbind(&mut self, place: Option<usize>) {
        let Some(place) = place else {
            return;
        };
        let binding = self.done.bindings.remove(place);
        self.done.refreshed.retain(|refreshed| refreshed.serial() != binding.serial());
        let added = self.done.added.len();
        self.done.added.retain(|added| added.serial() != binding.serial());
        if self.done.added.len() == added {
            self.done.removed.push(binding);
        }
    }

    fn correct(&mut self, place: usize, binding: Arc<Binding>) {
        let own = self.done.bindings[place].serial();
        for list in [&mut self.done.added, &mut self.done.refreshed, &mut self.done.bindings] {
            for listed in list.iter_mut().filter(|listed| listed.serial() == own) {
                *listed = binding.clone();
            }
        }
    }

    fn binding(
        &mut self,
        wanted: &Wanted<'_>,
        seconds: u32,
        before: Option<&Binding>,
    ) -> Result<Binding, RegisterError> {
        let register = self.register;
        let user_agent = match before.map(Binding::user_agent) {
            Some(known) if **known == *register.user_agent => known.clone(),
            _ => self.agents.of(&register.user_agent),
        };
        let path: SmallVec<[&str; 2]> = register.path.iter().map(|hop| &**hop).collect();
        let parts = BindingParts {
            contact: &wanted.uri,
            call_id: &register.call_id,
            flow: &wanted.flow,
            path: &path,
            q: wanted.q.unwrap_or(1000),
            expires_at: self.now + Duration::from_secs(u64::from(seconds)),
            since: before.map_or(self.now, Binding::since),
            cseq: register.cseq,
            received: register.received,
            user_agent,
            is_nat: register.is_nat,
        };
        let binding = Binding::like(&parts, before).ok_or(RegisterError::TooLong)?;
        Ok(binding.numbered(self.next_serial))
    }

    /// What of the user's other bindings the policy lets go. Removing a contact replaces nothing.
    fn replace_others(&mut self) -> Result<(), RegisterError> {
        if self.done.added.is_empty() && self.done.refreshed.is_empty() {
            return Ok(());
        }
        let goes = |binding: &Binding| match self.policy.multiple {
            _ if self.is_own(binding) || self.is_beside(binding) => false,
            Multiple::No => true,
            Multiple::ByContact => false,
            Multiple::ByCallId => *binding.call_id() == *self.register.call_id,
        };
        let (gone, kept): (SmallVec<_>, SmallVec<_>) =
            self.done.bindings.iter().cloned().partition(|binding| goes(binding));
        let gone: Found = gone;
        gone.iter().try_for_each(|binding| self.is_newer_than(binding))?;
        self.done.bindings = kept;
        self.done.removed.extend(gone);
        Ok(())
    }
}
