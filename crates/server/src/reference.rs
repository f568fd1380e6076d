//! The reference pages, made from the tables that the server works with.

mod api;
mod apps;
mod events;
mod not_provided;
mod params;
mod scripts;

use crate::cli::Page;

/// A page as Markdown.
pub fn page(page: Page) -> String {
    match page {
        Page::Params => params::page(),
        Page::Apps => apps::page(),
        Page::Api => api::page(),
        Page::Events => events::page(),
        Page::Scripts => scripts::page(),
    }
}

/// The line that says where a page comes from.
const MADE: &str = "<!-- Made by `cargo xtask docs` from the tables in the code. -->\n\n";

/// A cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('<', "&lt;")
}

/// A code cell; Markdown takes everything but the bar as it is.
fn code(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("`{}`", text.replace('|', "\\|")) }
}
