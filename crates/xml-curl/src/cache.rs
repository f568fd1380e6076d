//! Answers that are kept for a while.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chappe_config::{CachedUser, Document, Element, Section, XmlQuery};
use chappe_event::is_true;
use parking_lot::Mutex;

/// Answers kept. With one more, those whose time is over are forgotten; when there are none, all are.
const CAPACITY: usize = 10_000;

/// The params that tell one question about the directory from another; the others are about the request that asks.
const TELLING: [&str; 6] = ["action", "purpose", "key", "user", "domain", "group_name"];

/// What is asked for, as far as answers differ by it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Key {
    section: Section,
    tag: [String; 3],
    telling: [String; 6],
}

/// How long an answer counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Keep {
    For(Duration),
    /// Until it is flushed.
    ForEver,
}

/// An answer, if it is one; "not found" is kept, too.
type Answer = Option<Arc<Document>>;

struct Kept {
    answer: Answer,
    until: Option<Instant>,
}

/// The answers of one binding.
#[derive(Default)]
pub(crate) struct Cache {
    kept: Mutex<HashMap<Key, Kept>>,
}

impl Key {
    /// Nothing for what is never kept. A chatplan that may be kept is that of its context.
    pub fn of(query: &XmlQuery) -> Option<Self> {
        let param = |wanted: &str| {
            let found = query.params.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
            found.map(|(_, value)| value.clone()).unwrap_or_default()
        };
        let telling = match query.section {
            Section::Directory => TELLING.map(param),
            Section::Chatplan => ["context", "", "", "", "", ""].map(param),
            _ => return None,
        };
        let tag = [query.tag_name.clone(), query.key_name.clone(), query.key_value.clone()];
        Some(Self { section: query.section, tag, telling })
    }

    fn is_about(&self, user: CachedUser<'_>) -> bool {
        let [_, _, key, name, domain, _] = &self.telling;
        self.section == Section::Directory
            && key.split(':').any(|key| key.eq_ignore_ascii_case(user.key_name))
            && name.eq_ignore_ascii_case(user.key_value)
            && domain.eq_ignore_ascii_case(user.domain)
    }
}

impl Keep {
    /// What the answer says itself: the attribute `cacheable` of a user, as FreeSWITCH switch_xml.c
    /// switch_xml_locate_user_merged heeds it, and of the chatplan's section; in milliseconds, or `true` for ever.
    pub fn said(section: Section, document: &Document) -> Option<Self> {
        let section_element = document.section(section.as_str())?;
        let cacheable = match section {
            Section::Directory => user_attribute(section_element),
            _ => section_element.attr("cacheable"),
        }?;
        match cacheable.trim().parse() {
            Ok(milliseconds) => Some(Self::For(Duration::from_millis(milliseconds))),
            Err(_) => is_true(cacheable).then_some(Self::ForEver),
        }
    }
}

fn user_attribute(element: &Element) -> Option<&str> {
    let own = (element.name == "user").then(|| element.attr("cacheable")).flatten();
    own.or_else(|| element.children.iter().find_map(user_attribute))
}

impl Cache {
    /// The answer, when it is known.
    pub fn find(&self, key: &Key, now: Instant) -> Option<Answer> {
        let kept = self.kept.lock();
        kept.get(key).filter(|kept| kept.counts(now)).map(|kept| kept.answer.clone())
    }

    pub fn keep(&self, key: Key, answer: Answer, keep: Keep, now: Instant) {
        let until = match keep {
            Keep::For(Duration::ZERO) => return,
            Keep::For(time) => now.checked_add(time),
            Keep::ForEver => None,
        };
        let mut kept = self.kept.lock();
        if kept.len() >= CAPACITY {
            kept.retain(|_, kept| kept.counts(now));
        }
        if kept.len() >= CAPACITY {
            kept.clear();
        }
        kept.insert(key, Kept { answer, until });
    }

    /// Forgets what is known about one user, or everything; how many answers it were.
    pub fn flush(&self, user: Option<CachedUser<'_>>) -> usize {
        let mut kept = self.kept.lock();
        let before = kept.len();
        match user {
            Some(user) => kept.retain(|key, _| !key.is_about(user)),
            None => kept.clear(),
        }
        before - kept.len()
    }
}

impl Kept {
    fn counts(&self, now: Instant) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chappe_config::parse_fragment;

    fn key(user: &str, nonce: &str) -> Key {
        let params =
            [("action", "sip_auth"), ("key", "id"), ("user", user), ("domain", "d"), ("nonce", nonce)];
        Key::of(&XmlQuery {
            section: Section::Directory,
            tag_name: "domain".to_owned(),
            key_name: "name".to_owned(),
            key_value: "d".to_owned(),
            params: params.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
        })
        .expect("the directory is kept")
    }

    fn document() -> Answer {
        Some(Arc::new(parse_fragment("<document/>", "a").0))
    }

    #[test]
    fn an_answer_counts_until_its_time_is_over() {
        let (cache, now) = (Cache::default(), Instant::now());
        let second = Duration::from_secs(1);
        cache.keep(key("1000", "a"), document(), Keep::For(second), now);
        cache.keep(key("1001", "a"), None, Keep::For(second), now);
        cache.keep(key("1002", "a"), document(), Keep::ForEver, now);
        cache.keep(key("1003", "a"), document(), Keep::For(Duration::ZERO), now);
        let known = |user: &str, at| cache.find(&key(user, "b"), at).map(|answer| answer.is_some());
        assert_eq!(
            ["1000", "1001", "1002", "1003"].map(|user| known(user, now)),
            [Some(true), Some(false), Some(true), None]
        );
        assert_eq!(["1000", "1001", "1002"].map(|user| known(user, now + second)), [None, None, Some(true)]);
    }

    #[test]
    fn one_user_can_be_forgotten_or_all() {
        let (cache, now) = (Cache::default(), Instant::now());
        for user in ["1000", "1001", "1002"] {
            cache.keep(key(user, "a"), document(), Keep::ForEver, now);
        }
        let user = CachedUser { key_name: "id", key_value: "1001", domain: "D" };
        assert_eq!(cache.flush(Some(user)), 1);
        assert!(cache.find(&key("1001", "a"), now).is_none());
        assert_eq!(cache.flush(Some(CachedUser { domain: "other", ..user })), 0);
        assert_eq!(cache.flush(None), 2);
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let (cache, now) = (Cache::default(), Instant::now());
        for user in 0..CAPACITY + 10 {
            cache.keep(key(&user.to_string(), ""), None, Keep::ForEver, now);
        }
        assert_eq!(cache.kept.lock().len(), 10);
    }

    #[test]
    fn an_answer_says_how_long_it_counts() {
        let said = |section, text: &str| {
            let text = format!("<document>{text}</document>");
            Keep::said(section, &parse_fragment(&text, "a").0)
        };
        let user = |cacheable: &str| {
            let text = format!(
                "<section name=\"directory\"><domain name=\"d\"><groups><group name=\"g\"><users>\
                 <user id=\"a\" {cacheable}/></users></group></groups></domain></section>"
            );
            said(Section::Directory, &text)
        };
        assert_eq!(user(""), None);
        assert_eq!(user("cacheable=\"60000\""), Some(Keep::For(Duration::from_secs(60))));
        assert_eq!(user("cacheable=\"true\""), Some(Keep::ForEver));
        assert_eq!(user("cacheable=\"false\""), None);
        let plan = |cacheable: &str| {
            said(
                Section::Chatplan,
                &format!("<section name=\"chatplan\" {cacheable}><context name=\"c\"/></section>"),
            )
        };
        assert_eq!((plan(""), plan("cacheable=\"5\"")), (None, Some(Keep::For(Duration::from_millis(5)))));
    }
}
