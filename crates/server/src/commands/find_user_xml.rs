//! `find_user_xml`: a user of the directory, with what the group and the domain add.

use std::sync::Arc;

use chappe_api::{Answer, Call, Row};
use chappe_config::{Attribute, Document, Element};

use super::xml_locate::locate;
use crate::server::Server;

pub(super) const ROW: Row = Row {
    name: "find_user_xml",
    syntax: "<key> <user> <domain>",
    doc: "Find a user",
    module: "mod_commands",
};

/// FreeSWITCH mod_commands.c _find_user. The key is the attribute to look at, or several with colons between.
pub(super) fn run(call: &Call<'_>, server: &Arc<Server>) -> Answer {
    let mut words = call.args.split_whitespace();
    let (Some(key), Some(user), Some(domain)) = (words.next(), words.next(), words.next()) else {
        return "-ERR bad args\n".into();
    };
    let document = server.configuration().document.clone();
    match find(&document, key, user, domain) {
        Some(user) => user.to_xml().into(),
        None => "-ERR can't find user\n".into(),
    }
}

/// A user by an attribute's value, merged. FreeSWITCH switch_xml.c switch_xml_locate_user_merged.
pub(super) fn find(document: &Document, key: &str, user: &str, domain: &str) -> Option<Element> {
    let domain = locate(document, "directory", Some(("domain", "name", domain)))?;
    let (user, group) = key.split(':').find_map(|attribute| in_domain(domain, attribute, user))?;
    let mut merged = user.clone();
    for from in group.into_iter().chain([domain]) {
        for (container, element) in
            [("params", "param"), ("variables", "variable"), ("profile-variables", "variable")]
        {
            merge(&mut merged, from, container, element);
        }
    }
    if let Some(name) = domain.attr("name").filter(|name| !name.is_empty()) {
        merged.attributes.retain(|attribute| attribute.name != "domain-name");
        merged.attributes.push(attribute("domain-name", name));
    }
    Some(merged)
}

/// A user as it is written and the group it is written in: groups come first, a pointer names a user written elsewhere.
pub(super) fn in_domain<'d>(
    domain: &'d Element,
    key: &str,
    user: &str,
) -> Option<(&'d Element, Option<&'d Element>)> {
    let written = |of: &'d Element| {
        let users = of.listed("users", "user").chain(of.children_named("user"));
        users
            .filter(|one| !one.attr_or("type", "").eq_ignore_ascii_case("pointer"))
            .find(|one| one.attr(key).is_some_and(|value| value.eq_ignore_ascii_case(user)))
    };
    let mut groups = domain.listed("groups", "group");
    let grouped = groups.find_map(|group| written(group).map(|user| (user, Some(group))));
    grouped.or_else(|| written(domain).map(|user| (user, None)))
}

/// Adds what `from` has in `container` and the user has not. FreeSWITCH switch_xml.c do_merge.
fn merge(user: &mut Element, from: &Element, container: &str, element: &str) {
    let at = match user.children.iter().position(|child| child.name == container) {
        Some(at) => at,
        None => {
            user.children.push(Element::named(container));
            user.children.len() - 1
        }
    };
    let own = &mut user.children[at];
    for setting in from.listed(container, element) {
        let name = setting.attr_or("name", "");
        let known = own.children_named(element).any(|own| own.attr_or("name", "").eq_ignore_ascii_case(name));
        if !known {
            let mut added = Element::named(element);
            added.attributes =
                vec![attribute("name", name), attribute("value", setting.attr_or("value", ""))];
            own.children.push(added);
        }
    }
}

fn attribute(name: &str, value: &str) -> Attribute {
    Attribute { name: name.to_owned(), value: value.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIRECTORY: &str = "<document><section name='directory'><domain name='d.test'>\
         <params><param name='a' value='domain'/><param name='b' value='domain'/></params>\
         <groups><group name='g'><variables><variable name='v' value='group'/></variables>\
         <users><user id='1' number-alias='100'><params><param name='B' value='own'/></params></user></users></group>\
         <group name='p'><users><user id='2' type='pointer'/></users></group></groups>\
         <users><user id='2'/></users></domain></section></document>";

    #[test]
    fn what_the_user_lacks_is_added() {
        let (document, _) = chappe_config::parse_fragment(DIRECTORY, "d.xml");
        let one = find(&document, "id", "1", "d.test").expect("a user").to_xml();
        assert_eq!(
            one,
            "<user id=\"1\" number-alias=\"100\" domain-name=\"d.test\">\n  <params>\n    \
             <param name=\"B\" value=\"own\"></param>\n    <param name=\"a\" value=\"domain\"></param>\n  </params>\n  \
             <variables>\n    <variable name=\"v\" value=\"group\"></variable>\n  </variables>\n  \
             <profile-variables></profile-variables>\n</user>\n"
        );
        let by_alias = find(&document, "id:number-alias", "100", "D.TEST").expect("a user");
        assert_eq!(by_alias.to_xml(), one);
        assert!(find(&document, "id", "2", "d.test").is_some_and(|two| !two.to_xml().contains("pointer")));
        assert_eq!(find(&document, "id", "100", "d.test"), None);
        assert_eq!(find(&document, "id", "1", "other.test"), None);
    }
}
