//! Lua in this process.
