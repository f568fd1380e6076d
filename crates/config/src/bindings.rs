//! Who answers for a section of the configuration instead of the files.
//!
//! FreeSWITCH switch_xml.c switch_xml_bind_search_function, switch_xml_locate: bindings are asked in the order in which
//! they were bound, and the files last.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use arc_swap::ArcSwap;

use crate::{Diagnostics, Document, parse_fragment};

/// A part of the configuration that can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Section {
    Configuration,
    Directory,
    Chatplan,
    Dialplan,
    Languages,
}

/// Sections that a binding answers for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Sections(u8);

/// One question for whoever answers for a section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct XmlQuery {
    pub section: Section,
    /// The element wanted, `configuration` or `domain`; empty when it is the section as a whole.
    pub tag_name: String,
    /// The attribute that tells it from others, and the attribute's value.
    pub key_name: String,
    pub key_value: String,
    /// What else is known: the headers of the event that asks, in order.
    pub params: Vec<(String, String)>,
}

/// The document that answers, once it is there.
pub type Fetching = Pin<Box<dyn Future<Output = Option<Arc<Document>>> + Send>>;

/// The user whose answers are to be forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CachedUser<'a> {
    /// The attribute, `id` mostly.
    pub key_name: &'a str,
    pub key_value: &'a str,
    pub domain: &'a str,
}

/// Answers for sections of the configuration.
pub trait XmlBinding: Send + Sync {
    /// The module that brought it.
    fn module(&self) -> &'static str;

    fn serves(&self, section: Section) -> bool;

    /// The document that answers. None: not found or failed (the binding has logged why), the next binding is asked. The
    /// future is polled on any thread, shards among them: it must not block.
    fn fetch(&self, query: Arc<XmlQuery>) -> Fetching;

    /// Forgets answers that were kept, those about one user or all; how many it were.
    fn flush(&self, _user: Option<CachedUser<'_>>) -> usize {
        0
    }
}

/// Every binding there is. Whether a section is served costs one load, so that nobody pays for what is not bound.
#[derive(Default)]
pub struct Bindings {
    list: ArcSwap<Vec<Arc<dyn XmlBinding>>>,
    served: AtomicU8,
}

impl Section {
    pub const ALL: [Self; 5] =
        [Self::Configuration, Self::Directory, Self::Chatplan, Self::Dialplan, Self::Languages];

    /// The section's name, as the document and a query have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Configuration => "configuration",
            Self::Directory => "directory",
            Self::Chatplan => "chatplan",
            Self::Dialplan => "dialplan",
            Self::Languages => "languages",
        }
    }

    /// The section of that name, in any case.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|section| section.as_str().eq_ignore_ascii_case(name.trim()))
    }

    /// What FreeSWITCH looks for in a list of sections.
    fn word(self) -> &'static str {
        match self {
            Self::Configuration => "config",
            other => other.as_str(),
        }
    }

    fn bit(self) -> u8 {
        1 << self as u8
    }
}

impl Sections {
    pub const NONE: Self = Self(0);
    pub const ALL: Self = Self((1 << Section::ALL.len()) - 1);

    /// A list such as `directory|chatplan`: the sections whose name stands somewhere in it, `config` for
    /// `configuration`; every section when none does. FreeSWITCH switch_xml.c switch_xml_parse_section_string.
    pub fn parse(text: &str) -> Self {
        let text = text.to_ascii_lowercase();
        let named: Self = Section::ALL.into_iter().filter(|section| text.contains(section.word())).collect();
        if named == Self::NONE { Self::ALL } else { named }
    }

    pub fn contains(self, section: Section) -> bool {
        self.0 & section.bit() != 0
    }
}

impl FromIterator<Section> for Sections {
    fn from_iter<I: IntoIterator<Item = Section>>(sections: I) -> Self {
        Self(sections.into_iter().fold(0, |bits, section| bits | section.bit()))
    }
}

impl Bindings {
    /// Asked after those that are there.
    pub fn add(&self, binding: Arc<dyn XmlBinding>) {
        self.change(|list| list.push(binding.clone()));
    }

    /// Questions under way are answered yet.
    pub fn remove(&self, binding: &Arc<dyn XmlBinding>) {
        self.change(|list| list.retain(|known| !Arc::ptr_eq(known, binding)));
    }

    /// Removes the bindings that a module brought.
    pub fn remove_module(&self, module: &str) {
        self.change(|list| list.retain(|known| known.module() != module));
    }

    /// Puts these in the place of what a module brought, at once.
    pub fn replace_module(&self, module: &str, bindings: Vec<Arc<dyn XmlBinding>>) {
        self.change(|list| {
            let place = list.iter().position(|known| known.module() == module);
            list.retain(|known| known.module() != module);
            let place = place.unwrap_or(list.len());
            list.splice(place..place, bindings.iter().cloned());
        });
    }

    /// Whether anybody answers for the section.
    pub fn serves(&self, section: Section) -> bool {
        self.served.load(Ordering::Acquire) & section.bit() != 0
    }

    /// The first answer, of those who serve the section in the order in which they were bound. None: the files count.
    pub fn locate(&self, query: XmlQuery) -> impl Future<Output = Option<Arc<Document>>> + Send + use<> {
        let list = self.list.load_full();
        let query = Arc::new(query);
        async move {
            for binding in list.iter().filter(|binding| binding.serves(query.section)) {
                if let Some(document) = binding.fetch(query.clone()).await {
                    return Some(document);
                }
            }
            None
        }
    }

    /// Has every binding forget what it kept, about one user or all; how many answers it were.
    pub fn flush(&self, user: Option<CachedUser<'_>>) -> usize {
        self.list.load().iter().map(|binding| binding.flush(user)).sum()
    }

    fn change(&self, change: impl Fn(&mut Vec<Arc<dyn XmlBinding>>)) {
        self.list.rcu(|list| {
            let mut list = list.to_vec();
            change(&mut list);
            list
        });
        let list = self.list.load();
        let served = |section: &Section| list.iter().any(|binding| binding.serves(*section));
        let served: Sections = Section::ALL.into_iter().filter(served).collect();
        self.served.store(served.0, Ordering::Release);
    }
}

/// Reads the text that answers a question. `Ok(None)`: it says that there is no such thing, as
/// `<section name="result"><result status="not found"/></section>`. An error: it is no whole document.
pub fn answer_document(text: &str, name: &str) -> Result<Option<Document>, Diagnostics> {
    let (document, diagnostics) = parse_fragment(text, name);
    if diagnostics.has_errors() {
        return Err(diagnostics);
    }
    let result = document.section("result").and_then(|section| section.child("result"));
    let status = result.and_then(|result| result.attr("status")).unwrap_or_default();
    Ok((!status.eq_ignore_ascii_case("not found")).then_some(document))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::ready;
    use std::task::{Context, Poll, Waker};

    struct Fixed {
        module: &'static str,
        sections: Sections,
        answer: Option<&'static str>,
    }

    impl XmlBinding for Fixed {
        fn module(&self) -> &'static str {
            self.module
        }

        fn serves(&self, section: Section) -> bool {
            self.sections.contains(section)
        }

        fn fetch(&self, _: Arc<XmlQuery>) -> Fetching {
            let document = self.answer.map(|name| Arc::new(parse_fragment(&format!("<{name}/>"), name).0));
            Box::pin(ready(document))
        }

        fn flush(&self, user: Option<CachedUser<'_>>) -> usize {
            if user.is_some() { 1 } else { 2 }
        }
    }

    fn binding(module: &'static str, sections: &str, answer: Option<&'static str>) -> Arc<dyn XmlBinding> {
        Arc::new(Fixed { module, sections: Sections::parse(sections), answer })
    }

    fn asked(bindings: &Bindings, section: Section) -> Option<String> {
        let nothing = String::new;
        let query = XmlQuery {
            section,
            tag_name: nothing(),
            key_name: nothing(),
            key_value: nothing(),
            params: Vec::new(),
        };
        let locating = std::pin::pin!(bindings.locate(query));
        match locating.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(found) => found.map(|document| document.root().name.clone()),
            Poll::Pending => panic!("nothing has to be waited for"),
        }
    }

    #[test]
    fn lists_of_sections() {
        let cases = [
            ("chatplan", "chatplan"),
            ("Directory|DIALPLAN", "directory dialplan"),
            ("config", "configuration"),
            ("configuration|languages", "configuration languages"),
            ("", "configuration directory chatplan dialplan languages"),
            ("nonsense", "configuration directory chatplan dialplan languages"),
        ];
        for (text, expected) in cases {
            let sections = Sections::parse(text);
            let named: Vec<_> =
                Section::ALL.into_iter().filter(|s| sections.contains(*s)).map(Section::as_str).collect();
            assert_eq!(named.join(" "), expected, "{text}");
        }
    }

    #[test]
    fn names_of_sections() {
        for section in Section::ALL {
            assert_eq!(Section::parse(&section.as_str().to_ascii_uppercase()), Some(section));
        }
        assert_eq!(Section::parse("config"), None);
    }

    #[test]
    fn the_first_who_serves_and_knows_answers() {
        let bindings = Bindings::default();
        assert_eq!(asked(&bindings, Section::Chatplan), None);
        bindings.add(binding("mod_a", "directory", Some("a")));
        bindings.add(binding("mod_b", "chatplan", None));
        bindings.add(binding("mod_c", "chatplan", Some("c")));
        bindings.add(binding("mod_d", "", Some("d")));
        assert_eq!(asked(&bindings, Section::Chatplan).as_deref(), Some("c"));
        assert_eq!(asked(&bindings, Section::Directory).as_deref(), Some("a"));
        assert_eq!(asked(&bindings, Section::Languages).as_deref(), Some("d"));
        assert_eq!(bindings.flush(None), 8);
        let user = CachedUser { key_name: "id", key_value: "1000", domain: "example.org" };
        assert_eq!(bindings.flush(Some(user)), 4);
    }

    #[test]
    fn what_is_removed_answers_no_more() {
        let bindings = Bindings::default();
        let (one, other) = (binding("mod_a", "chatplan", Some("a")), binding("mod_b", "directory", None));
        bindings.add(one.clone());
        bindings.add(other);
        let served =
            || [Section::Chatplan, Section::Directory, Section::Dialplan].map(|s| bindings.serves(s));
        assert_eq!(served(), [true, true, false]);
        bindings.remove(&one);
        assert_eq!(served(), [false, true, false]);
        bindings.remove_module("mod_b");
        assert_eq!(served(), [false, false, false]);
        assert_eq!(asked(&bindings, Section::Chatplan), None);
    }

    #[test]
    fn what_takes_the_place_of_a_modules_bindings_is_asked_in_their_turn() {
        let bindings = Bindings::default();
        bindings.add(binding("mod_a", "chatplan", Some("a")));
        bindings.add(binding("mod_b", "chatplan", Some("b")));
        bindings.replace_module(
            "mod_a",
            vec![binding("mod_a", "directory", None), binding("mod_a", "chatplan", Some("c"))],
        );
        assert_eq!(asked(&bindings, Section::Chatplan).as_deref(), Some("c"));
        bindings.replace_module("mod_a", Vec::new());
        assert_eq!(asked(&bindings, Section::Chatplan).as_deref(), Some("b"));
        assert!(!bindings.serves(Section::Directory));
    }

    #[test]
    fn answers() {
        let found = "<document type=\"freeswitch/xml\"><section name=\"chatplan\"/></document>";
        let missing =
            "<document><section name=\"result\"><result status=\"Not Found\"/></section></document>";
        let read = |text: &str| answer_document(text, "http://a/").map(|document| document.is_some());
        assert_eq!(read(found), Ok(true));
        assert_eq!(read(missing), Ok(false));
        for cut in [&found[..found.len() - 12], &found[..30], "", "502 Bad Gateway", "{\"a\": 1}"] {
            assert!(read(cut).is_err_and(|wrong| wrong.has_errors()), "{cut}");
        }
    }
}
