//! Params of the directory that the registrar reads, and what is wrong with them: what can't be used is told of when the
//! configuration is read, not first when somebody registers.

use chappe_config::{Diagnostics, Document, Element};
use chappe_expression::Expression;

/// Warns of values of domains, groups and users that can't be used.
pub fn check_directory(document: &Document, diagnostics: &mut Diagnostics) {
    if let Some(directory) = document.section("directory") {
        check(directory, diagnostics);
    }
}

fn check(parent: &Element, diagnostics: &mut Diagnostics) {
    for element in &parent.children {
        if element.name == "param"
            && let Some(wrong) = wrong(element.attr_or("name", ""), element.attr_or("value", ""))
        {
            diagnostics.warning(element.at.clone(), wrong);
        }
        check(element, diagnostics);
    }
}

/// What is wrong with a param.
fn wrong(name: &str, value: &str) -> Option<String> {
    match name.to_ascii_lowercase().as_str() {
        "user-agent-filter" => {
            let error = Expression::new(value).err()?;
            Some(format!("user-agent-filter: {error}; nobody can register with it"))
        }
        "max-registrations-per-extension" if value.trim().parse::<usize>().is_err() => {
            Some(format!("max-registrations-per-extension: `{value}` is no number; the profile's counts"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(param: (&str, &str)) -> Vec<String> {
        let (name, value) = param;
        let text = format!(
            "<document><section name=\"directory\"><domain name=\"d\"><groups><group name=\"g\"><users><user id=\"1\">\n\
             <params><param name=\"{name}\" value=\"{value}\"/></params></user></users></group></groups></domain>\
             </section></document>"
        );
        let (document, _) = chappe_config::parse_fragment(&text, "a.xml");
        let mut diagnostics = Diagnostics::new();
        check_directory(&document, &mut diagnostics);
        diagnostics.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_can_be_used_is_not_told_of() {
        for param in [
            ("user-agent-filter", "^Yealink"),
            ("max-registrations-per-extension", " 3 "),
            ("password", "(("),
            ("max-registrations", "many"),
        ] {
            assert!(said(param).is_empty(), "{param:?}");
        }
    }

    #[test]
    fn what_can_not_is_told_of_with_its_place() {
        let filter = said(("User-Agent-Filter", "(Yealink"));
        assert_eq!(filter.len(), 1);
        assert!(filter[0].starts_with("a.xml:2: warning: user-agent-filter: "), "{filter:?}");
        assert!(filter[0].ends_with("nobody can register with it"), "{filter:?}");
        assert_eq!(
            said(("max-registrations-per-extension", "many")),
            ["a.xml:2: warning: max-registrations-per-extension: `many` is no number; the profile's counts"]
        );
    }
}
