//! Global variables while a configuration is read.

/// Names are compared without regard to case; a variable that is set again moves to the end (FreeSWITCH
/// switch_core_set_variable).
#[derive(Clone, Debug, Default)]
pub(super) struct Variables {
    values: Vec<(String, String)>,
    /// Names that keep the value they have from the start.
    fixed: Vec<String>,
}

impl Variables {
    /// The variables that are there from the start, and those that no directive changes.
    pub fn new(presets: &[(String, String)], overrides: &[(String, String)]) -> Self {
        let mut variables = Variables { values: presets.to_vec(), fixed: Vec::new() };
        for (name, value) in overrides {
            variables.set(name, value);
            variables.fixed.push(name.clone());
        }
        variables
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.values
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    pub fn set(&mut self, name: &str, value: &str) {
        if self.is_fixed(name) {
            return;
        }
        self.values.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self.values.push((name.to_owned(), harmless(value)));
    }

    pub fn is_fixed(&self, name: &str) -> bool {
        self.fixed.iter().any(|fixed| fixed.eq_ignore_ascii_case(name))
    }

    pub fn into_vec(self) -> Vec<(String, String)> {
        self.values
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
        let mut variables = Variables::new(&[("a".into(), "1".into()), ("b".into(), "2".into())], &[]);
        variables.set("A", "${x} $y");
        assert_eq!(variables.get("a"), Some("%{x} $y"));
        assert_eq!(variables.into_vec(), [("b".into(), "2".into()), ("A".into(), "%{x} $y".into())]);
    }

    #[test]
    fn an_override_stays() {
        let mut variables = Variables::new(&[("a".into(), "1".into())], &[("A".into(), "2".into())]);
        variables.set("a", "3");
        assert_eq!(variables.into_vec(), [("A".into(), "2".into())]);
    }
}
