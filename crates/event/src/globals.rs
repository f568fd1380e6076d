//! Global variables.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arc_swap::ArcSwap;
use indexmap::{Equivalent, IndexMap};

/// The global variables: what `X-PRE-PROCESS set` and `global_setvar` set, and `$${name}` reads.
///
/// Names are compared without regard to case. Reading never waits; a change copies the whole list, which suits
/// what is read with each message and changed by hand. The order is that in which the variables were set last.
#[derive(Debug, Default)]
pub struct Globals {
    variables: ArcSwap<Variables>,
}

type Variables = IndexMap<Key, Arc<str>>;

impl Globals {
    /// No variables.
    pub fn new() -> Self {
        Self::default()
    }

    /// The value of the variable.
    pub fn get(&self, name: &str) -> Option<Arc<str>> {
        self.variables.load().get(&Lookup(name)).cloned()
    }

    /// Sets the variable, moving it to the end of the list; an empty value removes it.
    ///
    /// A `${` in the value becomes `%{`, so that a variable never holds a reference: FreeSWITCH switch_core.c
    /// switch_core_set_variable.
    pub fn set(&self, name: &str, value: &str) {
        self.change(|variables| {
            variables.shift_remove(&Lookup(name));
            insert(variables, name, value);
        });
    }

    /// Removes the variable; whether there was one.
    pub fn remove(&self, name: &str) -> bool {
        let mut removed = false;
        self.change(|variables| removed = variables.shift_remove(&Lookup(name)).is_some());
        removed
    }

    /// Replaces all variables at once; of two with the same name the later counts.
    pub fn replace_all<N: AsRef<str>, V: AsRef<str>>(&self, variables: impl IntoIterator<Item = (N, V)>) {
        let mut fresh = Variables::default();
        for (name, value) in variables {
            fresh.shift_remove(&Lookup(name.as_ref()));
            insert(&mut fresh, name.as_ref(), value.as_ref());
        }
        self.variables.store(Arc::new(fresh));
    }

    /// All variables as they are at this moment, name and value, in order.
    pub fn snapshot(&self) -> Vec<(Arc<str>, Arc<str>)> {
        self.variables.load().iter().map(|(key, value)| (key.0.clone(), value.clone())).collect()
    }

    fn change(&self, mut change: impl FnMut(&mut Variables)) {
        self.variables.rcu(|current| {
            let mut fresh = Variables::clone(current);
            change(&mut fresh);
            fresh
        });
    }
}

fn insert(variables: &mut Variables, name: &str, value: &str) {
    if !value.is_empty() {
        variables.insert(Key(name.into()), without_references(value).into());
    }
}

/// `value` with the `$` of each `${` made a `%`; backslashes between the two don't protect it.
///
/// FreeSWITCH switch_utils.h switch_string_var_check.
fn without_references(value: &str) -> String {
    let mut dollar = None;
    let mut found = Vec::new();
    for (at, octet) in value.bytes().enumerate() {
        match (octet, dollar) {
            (b'$', _) => dollar = Some(at),
            (b'{', Some(start)) => {
                found.push(start);
                dollar = None;
            }
            (b'\\', _) => {}
            _ => dollar = None,
        }
    }
    let mut text = value.to_owned();
    found.into_iter().for_each(|at| text.replace_range(at..=at, "%"));
    text
}

/// A name of which the case doesn't matter.
#[derive(Clone, Debug)]
struct Key(Arc<str>);

/// A borrowed [`Key`].
struct Lookup<'a>(&'a str);

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Lookup(&self.0).hash(state);
    }
}

impl Hash for Lookup<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.bytes().for_each(|octet| state.write_u8(octet.to_ascii_lowercase()));
        state.write_usize(self.0.len());
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for Key {}

impl Equivalent<Key> for Lookup<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        self.0.eq_ignore_ascii_case(&key.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(globals: &Globals) -> Vec<String> {
        globals.snapshot().into_iter().map(|(name, value)| format!("{name}={value}")).collect()
    }

    #[test]
    fn names_have_no_case_and_keep_their_order() {
        let globals = Globals::new();
        globals.set("domain", "chat.test");
        globals.set("Color", "blue");
        globals.set("empty", "");
        assert_eq!(globals.get("DOMAIN").as_deref(), Some("chat.test"));
        globals.set("DOMAIN", "other.test");
        assert_eq!(names(&globals), ["Color=blue", "DOMAIN=other.test"]);
        globals.set("color", "");
        assert!(!globals.remove("color"));
        assert!(globals.remove("domain"));
        assert!(globals.snapshot().is_empty());
    }

    #[test]
    fn all_are_replaced_at_once() {
        let globals = Globals::new();
        globals.set("old", "1");
        globals.replace_all([("a", "1"), ("b", "2"), ("A", "3")]);
        assert_eq!(names(&globals), ["b=2", "A=3"]);
    }

    #[test]
    fn references_are_disarmed() {
        let cases = [
            ("${to}", "%{to}"),
            ("a $${to} ${b}", "a $%{to} %{b}"),
            ("$\\{to}", "%\\{to}"),
            ("$ {to} $1 {x}", "$ {to} $1 {x}"),
            ("é${to}", "é%{to}"),
        ];
        let globals = Globals::new();
        for (value, kept) in cases {
            globals.set("x", value);
            assert_eq!(globals.get("x").as_deref(), Some(kept));
        }
    }
}
