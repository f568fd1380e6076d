//! The configuration as written: elements, attributes and text, each element with its place.

use crate::Location;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    pub name: String,
    pub value: String,
}

/// An element. Names and attribute names are compared as they are, the values that [`Element::find`] looks for without
/// regard to case (FreeSWITCH switch_xml_find_child).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Element {
    pub name: String,
    /// As written; of two with one name the first counts.
    pub attributes: Vec<Attribute>,
    pub children: Vec<Element>,
    /// All character data that stands directly in the element, joined.
    pub text: String,
    pub at: Location,
}

impl Element {
    pub fn attr(&self, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|attribute| attribute.name == name)
            .map(|attribute| attribute.value.as_str())
    }

    pub fn attr_or<'a>(&'a self, name: &str, default: &'a str) -> &'a str {
        self.attr(name).unwrap_or(default)
    }

    /// The first child of that name.
    pub fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.name == name)
    }

    pub fn children_named<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a Element> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The first child of that name with an attribute of that value.
    pub fn find(&self, child: &str, attr: &str, value: &str) -> Option<&Element> {
        self.children_named(child)
            .find(|child| child.attr(attr).is_some_and(|found| found.eq_ignore_ascii_case(value)))
    }

    /// The children of a container, `<domains><domain/></domains>`, or none when there is no container.
    pub fn listed<'a>(&'a self, container: &str, name: &str) -> impl Iterator<Item = &'a Element> {
        self.child(container).into_iter().flat_map(move |container| container.children_named(name))
    }
}

/// A whole configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Document {
    root: Element,
}

impl Document {
    pub fn new(root: Element) -> Self {
        Document { root }
    }

    pub fn root(&self) -> &Element {
        &self.root
    }

    /// The first section of that name; a second one is not looked at (FreeSWITCH switch_xml_locate).
    pub fn section(&self, name: &str) -> Option<&Element> {
        self.root.find("section", "name", name)
    }

    /// The configuration of a module: `configuration("sofia.conf")`.
    pub fn configuration(&self, name: &str) -> Option<&Element> {
        self.section("configuration")?.find("configuration", "name", name)
    }

    /// Puts a configuration in the place of the one of its name, or behind the others.
    pub fn set_configuration(&mut self, configuration: Element) {
        let is_it = |element: &Element, name: &str, value: &str| {
            element.name == name && element.attr_or("name", "").eq_ignore_ascii_case(value)
        };
        let sections = &mut self.root.children;
        let section = match sections.iter().position(|section| is_it(section, "section", "configuration")) {
            Some(at) => at,
            None => {
                let attributes = vec![Attribute { name: "name".into(), value: "configuration".into() }];
                sections.push(Element { name: "section".into(), attributes, ..Element::default() });
                sections.len() - 1
            }
        };
        let known = &mut sections[section].children;
        let name = configuration.attr_or("name", "").to_owned();
        match known.iter_mut().find(|known| is_it(known, "configuration", &name)) {
            Some(known) => *known = configuration,
            None => known.push(configuration),
        }
    }

    /// Every configuration of the section, in order.
    pub fn configurations(&self) -> impl Iterator<Item = &Element> {
        self.section("configuration").into_iter().flat_map(|section| section.children_named("configuration"))
    }

    /// The configurations that are none of the known ones: nobody reads them.
    pub fn unread_configurations<'a>(&'a self, known: &[&str]) -> impl Iterator<Item = &'a Element> {
        self.configurations().filter(move |configuration| {
            let name = configuration.attr_or("name", "");
            !known.iter().any(|known| known.eq_ignore_ascii_case(name))
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::parse_fragment;

    #[test]
    fn a_configuration_takes_the_place_of_its_namesake() {
        let read = |text: &str| parse_fragment(text, "a.xml").0;
        let text = "<d><section name=\"directory\"/><section name=\"configuration\"><configuration name=\"a.conf\" v=\"1\"/>\
                    <configuration name=\"b.conf\" v=\"2\"/></section></d>";
        for text in [text, "<d/>"] {
            let mut document = read(text);
            for (name, value) in [("A.conf", "3"), ("c.conf", "4")] {
                let configuration = format!("<configuration name=\"{name}\" v=\"{value}\"/>");
                document.set_configuration(read(&configuration).root().clone());
                let found = document.configuration(name).and_then(|found| found.attr("v"));
                assert_eq!(found, Some(value), "{text}");
            }
            let others = document.configuration("b.conf").map(|found| found.attr("v"));
            assert_eq!(others, text.contains("b.conf").then_some(Some("2")));
        }
    }
}
