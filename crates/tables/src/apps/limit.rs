//! `limit`: refuses messages of a resource that is used too much. FreeSWITCH mod_dptools.c limit_function.

use std::sync::Arc;

use chappe_api::separate;
use chappe_chat::{App, AppRow, Delivery, Outcome, Ran, Router};
use chappe_event::{Event, Name, leading_number};

use crate::{DPTOOLS_MODULE, Limit, Tables, Usage};

pub(super) struct LimitApp(pub(super) Arc<Tables>);

pub(super) const ROW: AppRow = AppRow {
    name: "limit",
    syntax: "<backend> <realm> <id> [<max>[/interval]]",
    doc: "Refuse the message with 503 and Retry-After when more than max are under way, or came in so many seconds; \
          without max only count. The backend is hash or db.",
    takes: false,
    module: DPTOOLS_MODULE,
};

/// What a chatplan asks for.
#[derive(PartialEq, Eq, Debug)]
struct Asked {
    backend: String,
    realm: String,
    resource: String,
    limit: Limit,
    /// Where FreeSWITCH would transfer a call to.
    transfer: Option<String>,
}

impl App for LimitApp {
    fn row(&self) -> &AppRow {
        &ROW
    }

    /// As in FreeSWITCH a wrong use is logged and limits nothing, and a backend that is not loaded refuses.
    fn run<'a>(&'a self, message: &'a mut Event, data: Option<&'a str>, _: &'a Arc<Router>) -> Ran<'a> {
        let Some(asked) = Asked::read(data.unwrap_or_default()) else {
            tracing::error!("USAGE: limit {}", ROW.syntax);
            return Ran::Now(Outcome::Continue);
        };
        if let Some(transfer) = &asked.transfer {
            tracing::warn!("limit: {transfer} is not heeded: a message over the limit is refused");
        }
        Ran::Now(self.take(message, &asked))
    }
}

impl LimitApp {
    fn take(&self, message: &mut Event, asked: &Asked) -> Outcome {
        let Asked { backend, realm, resource, limit, .. } = asked;
        let Some(counters) = self.0.limits(backend) else {
            tracing::error!("Limit subsystem {backend} not found!");
            return Outcome::Refused(Delivery::Overloaded { retry_after_secs: 1 });
        };
        let mark = mark(realm, resource);
        let again = mark.as_deref().is_some_and(|mark| message.get(mark).is_some());
        match counters.take(realm, resource, *limit, self.0.now(), again) {
            Ok((usage, held)) => {
                note(message, mark.as_deref(), usage);
                self.0.announce(backend, realm, resource, usage, limit.most);
                held.map_or(Outcome::Continue, |held| Outcome::Hold(Box::new(held)))
            }
            Err(over) => {
                tracing::info!("Usage for {realm}_{resource} exceeds its limit");
                Outcome::Refused(Delivery::Overloaded { retry_after_secs: over.retry_after })
            }
        }
    }
}

impl Asked {
    fn read(data: &str) -> Option<Self> {
        let fields = separate(data, ' ', 7);
        let [backend, realm, resource, rest @ ..] = fields.as_slice() else { return None };
        Some(Self {
            backend: backend.clone(),
            realm: realm.clone(),
            resource: resource.clone(),
            limit: read_limit(rest.first().map_or("-1", String::as_str)),
            transfer: rest.get(1).cloned(),
        })
    }
}

/// `10`, `10/60`, or with a minus no limit.
fn read_limit(text: &str) -> Limit {
    if text.starts_with('-') {
        return Limit { most: None, interval: 0 };
    }
    let (most, interval) = text.split_once('/').unwrap_or((text, "0"));
    let number = |text: &str| u32::try_from(leading_number(text)).unwrap_or(0);
    Limit { most: Some(number(most)), interval: number(interval) }
}

/// The header that says how much a resource is used, FreeSWITCH's variable. It also tells that the message has its place
/// already. None for a resource that makes no header's name: it is counted each time.
fn mark(realm: &str, resource: &str) -> Option<String> {
    let plain = |octet: u8| octet.is_ascii_alphanumeric() || b"_-.@+".contains(&octet);
    let name = crate::hash_table::name(realm, resource);
    name.bytes().all(plain).then(|| format!("limit_usage_{name}"))
}

fn note(message: &mut Event, mark: Option<&str>, usage: Usage) {
    let (used, rate) = (usage.usage.to_string(), usage.rate.to_string());
    message.set("limit_usage", &used);
    message.set("limit_rate", &rate);
    if let Some(mark) = mark {
        message.set(Name::copied(mark), &used);
        message.set(Name::copied(&mark.replacen("usage", "rate", 1)), &rate);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for() {
        for (text, most, interval) in [
            ("10", Some(10), 0),
            ("10/60", Some(10), 60),
            ("0", Some(0), 0),
            ("-1", None, 0),
            ("-1/5", None, 0),
            ("x", Some(0), 0),
            ("3/x", Some(3), 0),
        ] {
            assert_eq!(read_limit(text), Limit { most, interval }, "{text}");
        }
        let asked = Asked::read("hash r 'a b' 5/10 over XML default").expect("enough");
        assert_eq!((asked.resource.as_str(), asked.transfer.as_deref()), ("a b", Some("over")));
        assert_eq!(Asked::read("hash r x").map(|asked| asked.limit), Some(Limit { most: None, interval: 0 }));
        assert_eq!(Asked::read("hash r"), None);
        assert_eq!(Asked::read(""), None);
    }

    #[test]
    fn a_header_has_a_plain_name() {
        assert_eq!(mark("r", "a@b.test").as_deref(), Some("limit_usage_r_a@b.test"));
        assert_eq!(mark("r", "a b"), None);
        assert_eq!(mark("r", "a\nb"), None);
    }
}
