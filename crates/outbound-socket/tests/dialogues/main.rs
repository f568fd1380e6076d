//! Conversations between the server and a program that handles its messages, over loopback sockets.

mod ends;
mod orders;
mod world;
