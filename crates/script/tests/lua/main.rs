//! Lua scripts, by behaviour.

mod bad_input;
mod databases;
mod environment;
mod patterns;
mod world;
