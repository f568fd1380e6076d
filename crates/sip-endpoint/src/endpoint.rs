//! The endpoint: all profiles, configured as a whole.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chappe_api::Registry;
use chappe_chat::Router;
use chappe_config::Bindings;
use chappe_config::acl::AclLists;
use chappe_directory::Directory;
use chappe_event::{Bus, Clock, Event, Globals, Identity};
use chappe_store::Store;
use parking_lot::Mutex;

use crate::config::{ProfileConfig, SofiaConfig};
use crate::outbound::SipInterface;
use crate::profile::Profile;
use crate::shard::Work;
use crate::world::World;
use crate::{EndpointError, Registration, commands};

/// What the endpoint is given.
#[derive(Clone)]
pub struct EndpointDeps {
    pub router: Arc<Router>,
    pub bus: Arc<Bus>,
    pub registry: Arc<Registry>,
    pub globals: Arc<Globals>,
    pub clock: Arc<dyn Clock>,
    pub identity: Arc<Identity>,
    /// Who may know users that the files do not.
    pub bindings: Arc<Bindings>,
    /// Where registrations outlive the endpoint.
    pub store: Arc<dyn Store>,
    /// Where connections and DNS questions live.
    pub runtime: tokio::runtime::Handle,
}

/// What [`Endpoint::configure`] did, profile names in the order of the configuration.
#[derive(Debug, Default)]
pub struct Applied {
    pub started: Vec<String>,
    pub stopped: Vec<String>,
    /// The address or the number of shards changed: new sockets, the same bindings.
    pub restarted: Vec<String>,
    /// New settings on the same sockets.
    pub changed: Vec<String>,
    pub unchanged: Vec<String>,
    pub failed: Vec<EndpointError>,
}

/// A socket that a profile listens on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listening {
    pub profile: String,
    /// `udp`, `tcp`, `tls`, `ws` or `wss`.
    pub transport: &'static str,
    /// The real port, also where `sip-port` is 0.
    pub addr: SocketAddr,
}

/// All SIP profiles and the chat interface `sip`.
pub struct Endpoint {
    world: Arc<World>,
    /// The configuration as last applied; the lock also makes reloads and commands take turns.
    config: Mutex<SofiaConfig>,
}

impl Endpoint {
    /// An endpoint without profiles. The chat interface is added to the router.
    pub fn new(deps: EndpointDeps) -> Arc<Self> {
        let router = deps.router.clone();
        let world = World::new(deps);
        router.add_interface(Arc::new(SipInterface::new(world.clone())));
        Arc::new(Self { world, config: Mutex::default() })
    }

    /// While it is held, profiles listen and let everything wait in their sockets: for a server whose chatplan is not loaded
    /// yet.
    pub fn hold(&self, held: bool) {
        self.world.hold(held);
    }

    /// Makes the running profiles those of `config`. Profiles that did not change keep their sockets, and all of the
    /// same name keep their bindings; one that can't listen is reported and leaves the others alone.
    pub fn configure(&self, config: SofiaConfig, directory: Arc<Directory>, acl: Arc<AclLists>) -> Applied {
        let mut applied = Applied::default();
        let mut current = self.config.lock();
        self.world.set_directory(directory, acl);
        self.world.resolver.ask(&config.name_servers);
        for profile in self.world.view().profiles.iter() {
            if !config.profiles.iter().any(|wanted| wanted.name == *profile.name) {
                profile.stop();
                applied.stopped.push(profile.name.to_string());
            }
        }
        let mut running = Vec::new();
        for wanted in &config.profiles {
            running.extend(self.apply(wanted, &mut applied));
        }
        self.world.set_profiles(running);
        *current = config;
        applied
    }

    /// The profile that runs for `wanted` from here on, if any.
    fn apply(&self, wanted: &ProfileConfig, applied: &mut Applied) -> Option<Arc<Profile>> {
        let view = self.world.view();
        let running = view.profiles.iter().find(|profile| *profile.name == *wanted.name);
        let Some(old) = running else {
            return self.start(wanted, None, &mut applied.started, &mut applied.failed);
        };
        if old.can_take(wanted) {
            old.refresh(&self.world);
        }
        if old.same_config(wanted) {
            applied.unchanged.push(wanted.name.clone());
        } else if old.can_take(wanted) {
            old.change(wanted, &self.world);
            applied.changed.push(wanted.name.clone());
        } else {
            return self.restart(wanted, old, applied);
        }
        Some(old.clone())
    }

    fn restart(
        &self,
        wanted: &ProfileConfig,
        old: &Arc<Profile>,
        applied: &mut Applied,
    ) -> Option<Arc<Profile>> {
        old.stop();
        self.start(wanted, Some(old), &mut applied.restarted, &mut applied.failed)
    }

    fn start(
        &self,
        wanted: &ProfileConfig,
        old: Option<&Arc<Profile>>,
        names: &mut Vec<String>,
        failed: &mut Vec<EndpointError>,
    ) -> Option<Arc<Profile>> {
        match Profile::start(wanted, old, &self.world) {
            Ok(profile) => {
                names.push(wanted.name.clone());
                Some(profile)
            }
            Err(error) => {
                tracing::error!("{error}");
                failed.push(error);
                None
            }
        }
    }

    /// Where the profiles listen.
    pub fn listening(&self) -> Vec<Listening> {
        self.world.view().profiles.iter().flat_map(|profile| profile.listening()).collect()
    }

    /// Every binding of every profile, for `show registrations`.
    pub fn registrations(&self) -> Vec<Registration> {
        self.world.registrations()
    }

    /// Every binding of one user, for `reg_url`.
    pub fn registrations_of(&self, user: &str, domain: &str) -> Vec<Registration> {
        self.world.registrations_of(user, domain)
    }

    /// Whose queue a message waits in when its recipient has no device: the address-of-record under which that user would
    /// register, whether it does or not. `None`: the message names nobody who could be reached.
    pub fn recipient(&self, message: &Event) -> Option<String> {
        crate::outbound::recipient(&self.world, message)
    }

    /// Adds mod_sofia's API commands.
    pub fn register_commands(self: &Arc<Self>, registry: &Registry) {
        commands::register(self, registry);
    }

    /// Takes no new requests, and returns when nothing is under way or `deadline` has passed. All profiles are stopped
    /// then, the chat interface is gone from the router.
    pub async fn drain(&self, deadline: Duration) {
        let until = Instant::now() + deadline;
        let profiles = self.world.view().profiles.clone();
        for profile in &profiles {
            profile.drain();
        }
        while Instant::now() < until && !profiles.iter().all(|profile| profile.is_finished()) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        self.stop();
    }

    /// Stops every profile at once: what `unload mod_sofia` does.
    pub fn stop(&self) {
        let view = self.world.view();
        for profile in view.profiles.iter() {
            profile.stop();
        }
        self.world.set_profiles(Vec::new());
        self.world.deps.router.remove_interface(crate::outbound::INTERFACE);
        *self.config.lock() = SofiaConfig::default();
    }

    /// Lets a shard go on with work that nobody waits for, in the order in which the calling thread hands it over. It is
    /// handed back when no profile runs, or the shard has too much to do already.
    pub fn go_on(&self, work: Work) -> Option<Work> {
        let view = self.world.view();
        match view.profiles.first() {
            Some(profile) => profile.go_on(work).err(),
            None => Some(work),
        }
    }

    pub(crate) fn world(&self) -> &Arc<World> {
        &self.world
    }

    /// Stops one profile; it stays in the configuration.
    pub(crate) fn stop_profile(&self, name: &str) -> bool {
        let _turn = self.config.lock();
        let view = self.world.view();
        let (stopped, running): (Vec<_>, Vec<_>) =
            view.profiles.iter().cloned().partition(|profile| profile.name.eq_ignore_ascii_case(name));
        for profile in &stopped {
            profile.stop();
        }
        self.world.set_profiles(running);
        !stopped.is_empty()
    }

    /// Gives a profile the gateways of its configuration that it does not have.
    pub(crate) fn rescan_profile(&self, name: &str) {
        let _turn = self.config.lock();
        if let Some(profile) = self.world.view().profile(name) {
            profile.configure_gateways(&self.world);
        }
    }

    /// Starts a profile of the configuration that does not run, or runs it anew.
    pub(crate) fn start_profile(&self, name: &str) -> Result<(), EndpointError> {
        let config = self.config.lock();
        let unknown = || EndpointError::NoProfile { profile: name.to_owned() };
        let wanted =
            config.profiles.iter().find(|p| p.name.eq_ignore_ascii_case(name)).ok_or_else(unknown)?;
        let mut running = self.world.view().profiles.clone();
        let old =
            running.iter().position(|profile| *profile.name == *wanted.name).map(|at| running.remove(at));
        if let Some(old) = &old {
            old.stop();
        }
        let started = Profile::start(wanted, old.as_ref(), &self.world);
        running.extend(started.as_ref().ok().cloned());
        self.world.set_profiles(running);
        started.map(|_| ())
    }
}
