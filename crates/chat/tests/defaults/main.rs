//! What the router does unless `freeswitch-quirks` asks for FreeSWITCH's way.

mod bounds;
mod composing;
mod events;
mod plan;
mod receipts;
mod scripts;
mod send_message;
mod slow;
mod system;
mod verdicts;
mod world;
