//! Scripts in worker processes, by behaviour.

mod bad_input;
mod javascript;
mod perl;
mod pool;
mod python;
mod table;
mod world;
