//! Global variables while a configuration is read.

/// Names are compared without regard to case; a variable that is set again moves to the end (FreeSWITCH
/// switch_core_set_variable).
#[derive(Clone, Debug, Default)]
pub(super) struct Variables(Vec<(String, String)>);

impl Variables {
    pub fn new(presets: &[(String, String)]) -> Self {
        Variables(presets.to_vec())
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub fn set(&mut self, name: &str, value: &str) {
        self.0.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self.0.push((name.to_owned(), harmless(value)));
    }

    pub fn into_vec(self) -> Vec<(String, String)> {
        self.0
    }
}

/// `${` in a global variable's value becomes `%{`, so that it is not expanded later (FreeSWITCH
/// switch_string_var_check).
fn harmless(value: &str) -> String {
    value.replace("${", "%{")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_value_counts_and_moves_to_the_end() {
        let mut variables = Variables::new(&[("a".into(), "1".into()), ("b".into(), "2".into())]);
        variables.set("A", "${x} $y");
        assert_eq!(variables.get("a"), Some("%{x} $y"));
        assert_eq!(variables.into_vec(), [("b".into(), "2".into()), ("A".into(), "%{x} $y".into())]);
    }
}
