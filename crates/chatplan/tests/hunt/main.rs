//! The hunt, step by step: what is asked, what is found, what is said.

mod asks;
mod bounds;
mod conditions;
mod diagnostics;
mod driver;
mod passing_over;
