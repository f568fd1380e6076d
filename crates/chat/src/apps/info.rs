//! `info`: the message in the log.

use std::sync::Arc;

use chappe_event::form::{self, Encode};
use chappe_event::{Event, LogLevel};
use tracing::Level;

use super::MODULE;
use crate::{App, AppRow, Outcome, Ran, Router};

pub(super) struct Info;

const ROW: AppRow = AppRow {
    name: "info",
    syntax: "[<log level>]",
    doc: "Log all headers and the body of the message.",
    takes: false,
    module: MODULE,
};

impl App for Info {
    fn row(&self) -> &AppRow {
        &ROW
    }

    fn run<'a>(&'a self, message: &'a mut Event, data: Option<&'a str>, _router: &'a Arc<Router>) -> Ran<'a> {
        match data.and_then(LogLevel::parse).unwrap_or(LogLevel::Info) {
            LogLevel::Console | LogLevel::Alert | LogLevel::Crit | LogLevel::Err => {
                if tracing::enabled!(Level::ERROR) {
                    tracing::error!("CHANNEL_DATA:\n{}\n", text(message));
                }
            }
            LogLevel::Warning => {
                if tracing::enabled!(Level::WARN) {
                    tracing::warn!("CHANNEL_DATA:\n{}\n", text(message));
                }
            }
            LogLevel::Notice => {
                if tracing::enabled!(Level::INFO) {
                    tracing::info!(fs_level = "notice", "CHANNEL_DATA:\n{}\n", text(message));
                }
            }
            LogLevel::Info => {
                if tracing::enabled!(Level::INFO) {
                    tracing::info!("CHANNEL_DATA:\n{}\n", text(message));
                }
            }
            _ => {
                if tracing::enabled!(Level::DEBUG) {
                    tracing::debug!("CHANNEL_DATA:\n{}\n", text(message));
                }
            }
        }
        Ran::Now(Outcome::Continue)
    }
}

fn text(message: &Event) -> String {
    let mut text = String::new();
    form::plain(message, Encode::Raw, &mut text);
    text
}
