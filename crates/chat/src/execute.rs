//! Running one app on a message. FreeSWITCH switch_loadable_module.c `switch_core_execute_chat_app`.

use std::borrow::Cow;
use std::sync::Arc;

use chappe_api::Answer;
use chappe_chatplan::limits::MAX_EXPANDED;
use chappe_event::{Event, Expand, ExpandRules, Expansion, Globals, has_expansion};

use crate::asker::Asker;
use crate::{AppRow, Outcome, Ran, Router};

/// What running an app came to.
pub(crate) enum Executed {
    /// There is no such app.
    Unknown,
    /// An app before it forbade all that follow.
    Forbidden,
    Ran(AppRow, Outcome),
}

/// Who wrote an app's data.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Author {
    /// The operator, in a chatplan.
    Plan,
    /// A script or a program while it handled the message, so that a sender's text may be in it.
    Script,
}

/// Finds the app, expands its data and runs it.
pub(crate) async fn app(
    router: &Arc<Router>,
    message: &mut Event,
    name: &str,
    data: Option<&str>,
    author: Author,
    asker: Option<&Asker>,
) -> Executed {
    let Some(app) = router.find_app(name) else {
        tracing::error!("Invalid chat application interface [{name}]!");
        return Executed::Unknown;
    };
    if message.no_chat_exec() {
        tracing::debug!("Message is not allowed to execute apps");
        return Executed::Forbidden;
    }
    let data = match data {
        Some(data) if author == Author::Script && !router.quirks().scripts_expand_all => {
            Some(expand_headers(router, message, data))
        }
        Some(data) => Some(expand(router, message, data, asker).await),
        None => None,
    };
    // What the app holds can't be looked at while it is at work.
    let asker = asker.filter(|asker| app.is_slow() && asker.would_take_over(router));
    let before = asker.map(|_| message.clone());
    let outcome = match (app.run(message, data.as_deref(), router), asker, before) {
        (Ran::Now(outcome), ..) => outcome,
        (Ran::Later(later), Some(asker), Some(before)) => asker.wait(router, &before, later).await,
        (Ran::Later(later), ..) => later.await,
    };
    Executed::Ran(*app.row(), outcome)
}

/// The text with its `${...}` filled in.
async fn expand<'d>(
    router: &Arc<Router>,
    message: &Event,
    text: &'d str,
    asker: Option<&Asker>,
) -> Cow<'d, str> {
    if !has_expansion(text) {
        return Cow::Borrowed(text);
    }
    let mut expansion = Expansion::new(text, rules(router));
    let mut answer = None;
    loop {
        match expansion.next(message, router.globals(), answer.take()) {
            Expand::Done(text) => return Cow::Owned(cut(text)),
            Expand::Api { command, args } => {
                answer = Some(api_for(router, message, &command, &args, asker).await)
            }
        }
    }
}

/// The text with the message's headers filled in. A call of an API command stays as it is written, and there are no global
/// variables.
fn expand_headers<'d>(router: &Arc<Router>, message: &Event, text: &'d str) -> Cow<'d, str> {
    if !has_expansion(text) {
        return Cow::Borrowed(text);
    }
    let nothing = Globals::default();
    let mut expansion = Expansion::new(text, rules(router));
    let mut answer = None;
    loop {
        match expansion.next(message, &nothing, answer.take()) {
            Expand::Done(text) => return Cow::Owned(cut(text)),
            Expand::Api { command, args } => {
                tracing::warn!("A script's data calls {command}, which is left as it is");
                answer = Some(format!("${{{command}({args})}}"));
            }
        }
    }
}

/// What an API command answers; nothing when there is none of that name, as in FreeSWITCH's
/// `switch_event_expand_headers`.
pub(crate) async fn api_for(
    router: &Arc<Router>,
    message: &Event,
    command: &str,
    args: &str,
    asker: Option<&Asker>,
) -> String {
    if router.registry().find(command).is_none() {
        return String::new();
    }
    let answer = router.registry().execute(&format!("{command} {args}"), Some(message));
    match (answer, asker.filter(|asker| asker.would_take_over(router))) {
        (Answer::Later(later), Some(asker)) => asker.wait(router, message, later).await,
        (answer, _) => answer.text().await,
    }
}

/// How texts are expanded: [`Quirks::body_header`](crate::Quirks).
pub(crate) fn rules(router: &Router) -> ExpandRules {
    ExpandRules { body_alias: !router.quirks().body_header }
}

fn cut(mut text: String) -> String {
    if text.len() > MAX_EXPANDED {
        tracing::error!(octets = text.len(), "An action's data is cut to {MAX_EXPANDED} octets");
        text.truncate(text.floor_char_boundary(MAX_EXPANDED));
    }
    text
}
