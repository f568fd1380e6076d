//! From the configuration to the directory.

use chappe_config::{Diagnostics, Document, Element, Location};

use crate::index::NameIndex;
use crate::{Directory, Domain, Group, Secret, Setting, User};

/// FreeSWITCH's vanilla configuration gives it to everybody.
const VANILLA_PASSWORD: &str = "1234";

/// Reads the `directory` section.
pub(crate) fn compile(document: &Document, d: &mut Diagnostics) -> Directory {
    let mut directory = Directory::default();
    let Some(section) = document.section("directory") else { return directory };
    for element in section.children_named("domain") {
        let Some(name) = element.attr("name").filter(|name| !name.is_empty()) else {
            d.error(&element.at, "a domain without a name").instead("<domain name=\"example.com\">");
            continue;
        };
        match directory.by_name.add(name, directory.domains.len()) {
            Ok(()) => directory.domains.push(domain(name, element, d)),
            Err(first) => {
                let first = &directory.domains[first].at;
                d.warning(&element.at, format!("domain {name} is not read: it is there already at {first}"));
            }
        }
    }
    directory
}

fn domain(name: &str, element: &Element, d: &mut Diagnostics) -> Domain {
    let mut builder = Builder {
        domain: Domain {
            name: name.to_owned(),
            params: settings(element, "params", "param", d),
            variables: settings(element, "variables", "variable", d),
            groups: Vec::new(),
            at: element.at.clone(),
            users: Vec::new(),
            by_name: NameIndex::default(),
            has_aliases: false,
        },
        by_id: NameIndex::default(),
        pointers: Vec::new(),
    };
    // FreeSWITCH looks through the groups, then through the users that are in none.
    for group in element.children_named("groups").flat_map(|groups| groups.children_named("group")) {
        builder.group(group, d);
    }
    for user in element.listed("users", "user").chain(element.children_named("user")) {
        builder.user(user, None, d);
    }
    builder.finish(d)
}

struct Builder<'e> {
    domain: Domain,
    by_id: NameIndex,
    /// Users named by `type="pointer"`: group, id, place.
    pointers: Vec<(usize, &'e str, &'e Location)>,
}

/// What a group gives to its users.
struct GroupSettings {
    /// Position in the domain's groups.
    position: usize,
    params: Vec<Setting>,
    variables: Vec<Setting>,
}

impl<'e> Builder<'e> {
    fn group(&mut self, element: &'e Element, d: &mut Diagnostics) {
        let name = element.attr_or("name", "");
        if name.is_empty() {
            d.warning(&element.at, "a group without a name can't be called")
                .instead("<group name=\"default\">");
        }
        let settings = GroupSettings {
            position: self.domain.groups.len(),
            params: settings(element, "params", "param", d),
            variables: settings(element, "variables", "variable", d),
        };
        self.domain.groups.push(Group { name: name.to_owned(), members: Vec::new(), at: element.at.clone() });
        for user in element.children_named("users").flat_map(|users| users.children_named("user")) {
            self.user(user, Some(&settings), d);
        }
    }

    fn user(&mut self, element: &'e Element, group: Option<&GroupSettings>, d: &mut Diagnostics) {
        let Some(id) = element.attr("id").filter(|id| !id.is_empty()) else {
            d.error(&element.at, "a user without an id").instead("<user id=\"1000\">");
            return;
        };
        if let Some(group) = group {
            self.domain.groups[group.position].members.push(id.to_owned());
        }
        // Deviation: FreeSWITCH would take a pointer that stands before its user for the user.
        if element.attr("type").is_some_and(|kind| kind.eq_ignore_ascii_case("pointer")) {
            if let Some(group) = group {
                self.pointers.push((group.position, id, &element.at));
            }
            return;
        }
        if let Err(first) = self.by_id.add(id, self.domain.users.len()) {
            let first = &self.domain.users[first].at;
            d.warning(&element.at, format!("user {id} is not read: it is there already at {first}"));
            return;
        }
        let user = self.build(id, element, group, d);
        self.domain.users.push(user);
    }

    fn build(&self, id: &str, element: &Element, group: Option<&GroupSettings>, d: &mut Diagnostics) -> User {
        let mut params = settings(element, "params", "param", d);
        let mut variables = settings(element, "variables", "variable", d);
        if let Some(group) = group {
            inherit(&mut params, &group.params);
            inherit(&mut variables, &group.variables);
        }
        inherit(&mut params, &self.domain.params);
        inherit(&mut variables, &self.domain.variables);
        User {
            id: id.to_owned(),
            domain: self.domain.name.clone(),
            number_alias: element.attr("number-alias").filter(|alias| !alias.is_empty()).map(str::to_owned),
            cidr: element.attr("cidr").filter(|cidr| !cidr.trim().is_empty()).map(str::to_owned),
            groups: group.map(|group| self.domain.groups[group.position].name.clone()).into_iter().collect(),
            password: secret(&params, &element.at, d),
            auth_acl: filled(&params, "auth-acl"),
            params,
            variables,
            at: element.at.clone(),
        }
    }

    fn finish(mut self, d: &mut Diagnostics) -> Domain {
        self.follow_pointers(d);
        let Domain { users, by_name, has_aliases, name, .. } = &mut self.domain;
        *has_aliases = users.iter().any(|user| user.number_alias.is_some());
        // Of a user and another's alias of the same name the one written first counts.
        for (position, user) in users.iter().enumerate() {
            for known_as in [Some(&user.id), user.number_alias.as_ref()].into_iter().flatten() {
                match by_name.add(known_as, position) {
                    Ok(()) => {}
                    Err(first) if first == position => {}
                    Err(first) => {
                        let text =
                            format!("{known_as}@{name} is user {} at {}", users[first].id, users[first].at);
                        d.warning(&user.at, format!("user {} is not found as {known_as}: {text}", user.id));
                    }
                }
            }
        }
        guessable(&self.domain, d);
        self.domain
    }

    fn follow_pointers(&mut self, d: &mut Diagnostics) {
        for &(group, id, at) in &self.pointers {
            let group = self.domain.groups[group].name.clone();
            match self.by_id.get(id) {
                Some(user) => {
                    let groups = &mut self.domain.users[user].groups;
                    if !groups.contains(&group) {
                        groups.push(group);
                    }
                }
                None => {
                    d.warning(at, format!("group {group} points to user {id}, which does not exist"));
                }
            }
        }
    }
}

/// The params or variables of an element. Of two with one name the last counts, in the place of the first.
fn settings(element: &Element, container: &str, name: &str, d: &mut Diagnostics) -> Vec<Setting> {
    let mut settings: Vec<Setting> = Vec::new();
    for child in element.listed(container, name) {
        let Some(name) = child.attr("name").filter(|name| !name.is_empty()) else {
            d.warning(&child.at, format!("a {name} without a name is not read"));
            continue;
        };
        let value = child.attr_or("value", "").to_owned();
        match settings.iter_mut().find(|known| known.name.eq_ignore_ascii_case(name)) {
            Some(known) => known.value = value,
            None => settings.push(Setting { name: name.to_owned(), value }),
        }
    }
    settings
}

/// Adds what is not there (FreeSWITCH switch_xml.c do_merge).
fn inherit(settings: &mut Vec<Setting>, from: &[Setting]) {
    for setting in from {
        if !settings.iter().any(|known| known.name.eq_ignore_ascii_case(&setting.name)) {
            settings.push(setting.clone());
        }
    }
}

/// The value of a param, if there is one.
fn filled(params: &[Setting], name: &str) -> Option<String> {
    let param = params.iter().find(|param| param.name.eq_ignore_ascii_case(name))?;
    Some(param.value.trim().to_owned()).filter(|value| !value.is_empty())
}

/// An `a1-hash` goes before a `password`.
fn secret(params: &[Setting], at: &Location, d: &mut Diagnostics) -> Secret {
    let find = |name: &str| {
        let param = params.iter().find(|param| param.name.eq_ignore_ascii_case(name));
        param.map(|param| param.value.trim()).filter(|value| !value.is_empty())
    };
    if let Some(hash) = find("a1-hash") {
        if hash.len() == 32 && hash.bytes().all(|octet| octet.is_ascii_hexdigit()) {
            return Secret::A1Hash(hash.to_ascii_lowercase());
        }
        d.error(at, "a1-hash is not 32 hexadecimal digits").instead("the MD5 of user:domain:password");
        return Secret::None;
    }
    match params.iter().find(|param| param.name.eq_ignore_ascii_case("password")) {
        Some(param) if !param.value.is_empty() => Secret::Plain(param.value.clone()),
        _ => Secret::None,
    }
}

/// One hint a domain for each way in which passwords are easily guessed.
fn guessable(domain: &Domain, d: &mut Diagnostics) {
    let mut hint = |what: &str, is_meant: &dyn Fn(&User) -> bool| {
        let users: Vec<&User> = domain.users.iter().filter(|user| is_meant(user)).collect();
        let Some(first) = users.first() else { return };
        let others = match users.len() - 1 {
            0 => String::new(),
            1 => " and another one".to_owned(),
            more => format!(" and {more} others"),
        };
        d.hint(&first.at, format!("{what}: user {}{others} of {}", first.id, domain.name));
    };
    hint("no password, so no way to register", &|user| user.password.is_none());
    hint("the password is the one that FreeSWITCH ships with", &|user| {
        user.password == Secret::Plain(VANILLA_PASSWORD.into())
    });
    hint("the password is the user's id", &|user| user.password == Secret::Plain(user.id.clone()));
}
