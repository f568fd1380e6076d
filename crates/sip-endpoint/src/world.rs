//! What all profiles and shards share.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use chappe_config::acl::AclLists;
use chappe_current::{Current, Loaded};
use chappe_directory::Directory;
use chappe_sip_proto::registrar::Aor;
use hashbrown::HashMap;

use crate::guard::Bans;
use crate::outbound::{Resolver, Unwilling};
use crate::profile::Profile;
use crate::registrar::Registrar;
use crate::{EndpointDeps, Registration};

/// What a reload replaces, all at once.
pub struct View {
    pub directory: Arc<Directory>,
    pub acl: Arc<AclLists>,
    pub profiles: Vec<Arc<Profile>>,
    /// Profile names, aliases and domains in lower case.
    names: HashMap<String, Arc<Profile>>,
}

impl View {
    fn new(directory: Arc<Directory>, acl: Arc<AclLists>, profiles: Vec<Arc<Profile>>) -> Self {
        let names = names(&directory, &profiles);
        Self { directory, acl, profiles, names }
    }

    /// By name, alias or domain, as FreeSWITCH sofia_glue_find_profile.
    pub fn profile(&self, name: &str) -> Option<&Arc<Profile>> {
        if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return self.names.get(&name.to_ascii_lowercase());
        }
        self.names.get(name)
    }

    /// The name of each alias and its profile, sorted.
    pub fn aliases(&self) -> Vec<(&str, &Arc<Profile>)> {
        let other = |(name, profile): &(&String, &Arc<Profile>)| !name.eq_ignore_ascii_case(&profile.name);
        let mut aliases: Vec<_> = self.names.iter().filter(other).map(|(n, p)| (n.as_str(), p)).collect();
        aliases.sort_unstable_by_key(|(name, _)| *name);
        aliases
    }

    /// Whether messages to users of this host end here.
    pub fn is_ours(&self, host: &str) -> bool {
        self.directory.domain(host).is_some() || self.profile(host).is_some() || self.is_own_address(host)
    }

    /// Whether it is an address that a profile listens on.
    pub fn is_own_address(&self, host: &str) -> bool {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        bare.parse().is_ok_and(|ip: IpAddr| self.profiles.iter().any(|profile| profile.has_address(ip)))
    }
}

fn names(directory: &Directory, profiles: &[Arc<Profile>]) -> HashMap<String, Arc<Profile>> {
    let mut names = HashMap::new();
    for profile in profiles {
        names.insert(profile.name.to_ascii_lowercase(), profile.clone());
    }
    for profile in profiles {
        let settings = profile.settings();
        let config = &settings.config;
        for name in config.aliases.iter().chain(&config.domains) {
            names.entry(name.to_ascii_lowercase()).or_insert_with(|| profile.clone());
        }
        if config.all_domains {
            for domain in directory.domains() {
                names.entry(domain.name.to_ascii_lowercase()).or_insert_with(|| profile.clone());
            }
        }
    }
    names
}

/// Shared by the endpoint, its shards and its connections.
pub struct World {
    pub deps: EndpointDeps,
    pub resolver: Resolver,
    pub bans: Bans,
    pub unwilling: Unwilling,
    view: Current<View>,
    ids: AtomicU64,
    held: AtomicBool,
}

impl World {
    pub fn new(deps: EndpointDeps) -> Arc<Self> {
        let view = View::new(Arc::default(), Arc::default(), Vec::new());
        let resolver = Resolver::new(deps.runtime.clone());
        Arc::new(Self {
            deps,
            resolver,
            bans: Bans::default(),
            unwilling: Unwilling::default(),
            view: Current::new(view),
            ids: AtomicU64::new(1),
            held: AtomicBool::new(false),
        })
    }

    pub fn view(&self) -> Loaded<View> {
        self.view.load()
    }

    pub fn set_directory(&self, directory: Arc<Directory>, acl: Arc<AclLists>) {
        let profiles = self.view().profiles.clone();
        self.view.store(Arc::new(View::new(directory, acl, profiles)));
    }

    pub fn set_profiles(&self, profiles: Vec<Arc<Profile>>) {
        let view = self.view();
        let (directory, acl) = (view.directory.clone(), view.acl.clone());
        let registrars: Vec<_> = profiles.iter().map(|profile| profile.registrar.clone()).collect();
        self.view.store(Arc::new(View::new(directory, acl, profiles)));
        registrars.iter().for_each(|registrar| registrar.found(self));
    }

    /// Whether messages have to wait in the sockets.
    pub fn is_held(&self) -> bool {
        self.held.load(Ordering::Acquire)
    }

    pub fn hold(&self, held: bool) {
        self.held.store(held, Ordering::Release);
    }

    /// A number that no other shard or connection of this process has.
    pub fn next_id(&self) -> u64 {
        self.ids.fetch_add(1, Ordering::Relaxed)
    }

    /// Seconds since 1970.
    pub fn unix_seconds(&self) -> i64 {
        self.deps.clock.unix_micros().div_euclid(1_000_000)
    }

    /// Those of one user.
    pub fn registrations_of(&self, user: &str, domain: &str) -> Vec<Registration> {
        let (view, now) = (self.view(), Instant::now());
        let aor = Aor::of(user, domain);
        let of_profile = |profile: &Arc<Profile>| {
            let found = profile.registrar.find(now, aor.as_str());
            let mut found: Vec<_> = found.into_iter().map(|binding| (aor.clone(), binding)).collect();
            found.sort_unstable_by(|(_, one), (_, other)| one.contact().cmp(other.contact()));
            Registrar::described(&found, profile, self)
        };
        view.profiles.iter().flat_map(of_profile).collect()
    }

    pub fn registrations(&self) -> Vec<Registration> {
        self.view()
            .profiles
            .iter()
            .flat_map(|profile| profile.registrar.registrations(profile, self))
            .collect()
    }
}
