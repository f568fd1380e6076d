//! What a chatplan names and somebody else must have: apps, and the contexts that messages start in.

use chappe_chatplan::Plan;
use chappe_config::{Diagnostics, Document, Element, nearest};

fn apps() -> impl Iterator<Item = &'static str> {
    crate::modules::apps().map(|row| row.name)
}

/// Warns of each app that there is not: the sender of a message that gets there is told of an error.
pub fn report_apps(plan: &Plan, diagnostics: &mut Diagnostics) {
    for (app, at) in plan.apps() {
        if apps().any(|known| known.eq_ignore_ascii_case(app)) {
            continue;
        }
        let text = match app {
            "" => "an action without an application fails".to_owned(),
            _ => format!("there is no app {app}: its action fails"),
        };
        let found = diagnostics.warning(at.clone(), text);
        if let Some(meant) = nearest(app, apps()) {
            found.instead(meant);
        }
    }
}

/// Tells of the contexts that users and profiles name and the chatplan has not. That may be meant (such messages go
/// point to point), so it is a warning only where the name is nearly that of a context.
pub fn report_contexts(plan: &Plan, document: &Document, diagnostics: &mut Diagnostics) {
    let mut named = Vec::new();
    if let Some(directory) = document.section("directory") {
        collect(directory, "variable", "user_context", &mut named);
    }
    if let Some(sofia) = document.configuration("sofia.conf") {
        collect(sofia, "param", "context", &mut named);
    }
    for element in named {
        let context = element.attr_or("value", "");
        if plan.has_context(context) {
            continue;
        }
        let text = format!("the chatplan has no context {context}: such messages go past it");
        match nearest(context, plan.contexts()) {
            Some(meant) => diagnostics.warning(element.at.clone(), text).instead(meant),
            None => diagnostics.hint(element.at.clone(), text),
        };
    }
}

/// The elements `<tag name="NAME" value="..."/>` below this one.
fn collect<'e>(parent: &'e Element, tag: &str, name: &str, found: &mut Vec<&'e Element>) {
    for element in &parent.children {
        if element.name == tag && element.attr("name").is_some_and(|it| it.eq_ignore_ascii_case(name)) {
            found.push(element);
        }
        collect(element, tag, name, found);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        let (document, _) = chappe_config::parse_fragment(text, "a.xml");
        let plan = Plan::compile(&document, &mut Diagnostics::new());
        let mut diagnostics = Diagnostics::new();
        report_apps(&plan, &mut diagnostics);
        report_contexts(&plan, &document, &mut diagnostics);
        let said: Vec<_> = diagnostics.iter().map(ToString::to_string).collect();
        assert_eq!(said, expected, "{text}");
    }

    fn actions(actions: &str) -> String {
        format!(
            "<document><section name=\"chatplan\"><context name=\"default\"><extension><condition>{actions}\
             </condition></extension></context></section></document>"
        )
    }

    fn contexts(context: &str) -> String {
        format!(
            "<document>\n<section name=\"configuration\"><configuration name=\"sofia.conf\"><profiles><profile>\
             <settings><param name=\"context\" value=\"public\"/></settings></profile></profiles></configuration>\
             </section>\n<section name=\"directory\"><domain><user><variables>\
             <variable name=\"user_context\" value=\"defalt\"/></variables></user></domain></section>\n\
             <section name=\"chatplan\"><context name=\"{context}\"/></section></document>"
        )
    }

    #[test]
    fn apps_that_there_are_not() {
        check(&actions("<action application=\"Reply\"/><anti-action application=\"stop\"/>"), &[]);
        check(
            &actions("<action application=\"replay\"/>\n<anti-action application=\"answer_call\"/><action/>"),
            &[
                "a.xml:1: warning: there is no app replay: its action fails; write reply instead",
                "a.xml:2: warning: an action without an application fails",
                "a.xml:2: warning: there is no app answer_call: its action fails",
            ],
        );
    }

    #[test]
    fn contexts_that_there_are_not() {
        check(&contexts("global"), &[]);
        check(
            &contexts("default"),
            &[
                "a.xml:3: warning: the chatplan has no context defalt: such messages go past it; write default instead",
                "a.xml:2: hint: the chatplan has no context public: such messages go past it",
            ],
        );
    }
}
