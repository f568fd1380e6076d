//! The users that others than the files know, for API commands.

use std::future::Future;
use std::sync::Arc;

use chappe_api::Answer;
use chappe_config::{Diagnostics, Section, XmlQuery};
use chappe_directory::Directory;
use chappe_event::{Calling, Event, EventName};

use crate::server::Server;

/// Answers from the directory of those who are asked first, and from that of the files where the first answer is none.
/// Nobody waits while nobody but the files answers for the directory.
#[track_caller]
pub fn answer(
    server: &Arc<Server>,
    (key, user, domain): (&str, &str, &str),
    find: impl Fn(&Directory) -> Option<String> + Send + 'static,
) -> Answer {
    let files = server.configuration().directory.clone();
    if !server.bindings.serves(Section::Directory) {
        return Answer::Ready(find(&files).unwrap_or_default());
    }
    let asking = directory(server, key, user, domain);
    Answer::Later(Box::pin(async move {
        let found = asking.await.and_then(|directory| find(&directory));
        found.or_else(|| find(&files)).unwrap_or_default()
    }))
}

/// FreeSWITCH switch_xml.c switch_xml_locate_user.
#[track_caller]
fn directory(
    server: &Arc<Server>,
    key: &str,
    user: &str,
    domain: &str,
) -> impl Future<Output = Option<Directory>> + Send + use<> {
    let mut params = Event::new(EventName::RequestParams);
    server.bus.prepare(&mut params, Calling::here("switch_xml_locate_user"));
    for (name, value) in [("key", key), ("user", user), ("domain", domain)] {
        params.add(name, value);
    }
    let locating = server.bindings.locate(XmlQuery {
        section: Section::Directory,
        tag_name: "domain".to_owned(),
        key_name: "name".to_owned(),
        key_value: domain.to_owned(),
        params: params.headers().map(|(name, value)| (name.to_owned(), value.as_str().to_owned())).collect(),
    });
    async move {
        let document = locating.await?;
        Some(Directory::compile(&document, &mut Diagnostics::new()))
    }
}
