//! The directory as it is asked.

use std::fmt;

use chappe_config::acl::UserCidr;
use chappe_config::{Diagnostics, Document, Location};

use crate::Secret;
use crate::index::NameIndex;

/// All domains.
#[derive(Clone, Default)]
pub struct Directory {
    pub(crate) domains: Vec<Domain>,
    pub(crate) by_name: NameIndex,
}

/// A param or variable.
#[derive(Clone, PartialEq, Eq)]
pub struct Setting {
    pub name: String,
    pub value: String,
}

#[derive(Clone)]
pub struct Domain {
    pub name: String,
    pub params: Vec<Setting>,
    pub variables: Vec<Setting>,
    pub groups: Vec<Group>,
    pub at: Location,
    pub(crate) users: Vec<User>,
    pub(crate) by_name: NameIndex,
    /// Some names are not ids.
    pub(crate) has_aliases: bool,
}

#[derive(Clone, Debug)]
pub struct Group {
    pub name: String,
    /// Ids, those of pointers included, in the order in which they are written.
    pub members: Vec<String>,
    pub at: Location,
}

#[derive(Clone)]
pub struct User {
    pub id: String,
    /// The name of the domain, as written there.
    pub domain: String,
    pub number_alias: Option<String>,
    /// Networks from which the user is known without a password, comma separated.
    pub cidr: Option<String>,
    /// The param `auth-acl`: the list of addresses at which the user may authenticate.
    pub auth_acl: Option<String>,
    /// The user's, then what the group and the domain add.
    pub params: Vec<Setting>,
    /// The user's, then what the group and the domain add.
    pub variables: Vec<Setting>,
    /// The group that the user is written in, then those with a pointer to the user.
    pub groups: Vec<String>,
    pub password: Secret,
    pub at: Location,
}

impl Directory {
    /// Reads the `directory` section of a configuration.
    pub fn compile(document: &Document, d: &mut Diagnostics) -> Directory {
        crate::compile::compile(document, d)
    }

    pub fn domain(&self, name: &str) -> Option<&Domain> {
        self.by_name.get(name).map(|position| &self.domains[position])
    }

    /// By id or number-alias.
    pub fn user(&self, domain: &str, name: &str) -> Option<&User> {
        self.domain(domain)?.user(name)
    }

    /// The id of the user with this id or number-alias, as it is written.
    pub fn id(&self, domain: &str, name: &str) -> Option<&str> {
        self.domain(domain)?.id(name)
    }

    /// In the order in which they are written.
    pub fn domains(&self) -> impl Iterator<Item = &Domain> {
        self.domains.iter()
    }

    pub fn users(&self) -> impl Iterator<Item = &User> {
        self.domains().flat_map(Domain::users)
    }

    /// The networks of a domain's users, for the lists of `acl.conf`.
    pub fn cidrs(&self, domain: &str) -> Option<Vec<UserCidr>> {
        let domain = self.domain(domain)?;
        let cidrs = domain.users().filter_map(|user| {
            let cidr = user.cidr.clone()?;
            Some(UserCidr { user: format!("{}@{}", user.id, domain.name), cidr, at: user.at.clone() })
        });
        Some(cidrs.collect())
    }
}

impl Domain {
    /// By id or number-alias.
    pub fn user(&self, name: &str) -> Option<&User> {
        self.by_name.get(name).map(|position| &self.users[position])
    }

    /// The id of the user with this id or number-alias, as it is written.
    pub fn id(&self, name: &str) -> Option<&str> {
        let (known, position) = self.by_name.known(name)?;
        // Without a look at the user, who is elsewhere in memory.
        Some(if self.has_aliases { &self.users[position].id } else { known })
    }

    /// In the order in which they are written.
    pub fn users(&self) -> impl Iterator<Item = &User> {
        self.users.iter()
    }

    pub fn group(&self, name: &str) -> Option<&Group> {
        self.groups.iter().find(|group| group.name.eq_ignore_ascii_case(name))
    }

    pub fn param(&self, name: &str) -> Option<&str> {
        value(&self.params, name)
    }

    pub fn variable(&self, name: &str) -> Option<&str> {
        value(&self.variables, name)
    }
}

impl User {
    pub fn param(&self, name: &str) -> Option<&str> {
        value(&self.params, name)
    }

    pub fn variable(&self, name: &str) -> Option<&str> {
        value(&self.variables, name)
    }

    /// The chatplan's context that the user's messages start in, when one is given.
    pub fn context(&self) -> Option<&str> {
        self.variable("user_context")
    }
}

fn value<'s>(settings: &'s [Setting], name: &str) -> Option<&'s str> {
    settings
        .iter()
        .find(|setting| setting.name.eq_ignore_ascii_case(name))
        .map(|setting| setting.value.as_str())
}

impl Setting {
    /// Whether the value is a secret by its name: `password`, `vm-password`, `a1-hash`, ...
    pub fn is_secret(&self) -> bool {
        let name = self.name.to_ascii_lowercase();
        ["password", "a1-hash", "secret", "-pin", "passwd", "token"].iter().any(|word| name.contains(word))
    }
}

impl fmt::Debug for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = if self.is_secret() { ".." } else { &self.value };
        write!(f, "{}={value}", self.name)
    }
}

impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("User")
            .field("id", &self.id)
            .field("domain", &self.domain)
            .field("number_alias", &self.number_alias)
            .field("cidr", &self.cidr)
            .field("auth_acl", &self.auth_acl)
            .field("groups", &self.groups)
            .field("params", &self.params)
            .field("variables", &self.variables)
            .field("password", &self.password)
            .field("at", &self.at)
            .finish()
    }
}

impl fmt::Debug for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Domain").field("name", &self.name).field("users", &self.users).finish_non_exhaustive()
    }
}

impl fmt::Debug for Directory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.domains).finish()
    }
}
