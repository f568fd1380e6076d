//! Writing requests and responses into a buffer of the caller's.

mod lines;
mod request;
mod response;

pub use request::RequestWriter;
pub use response::ResponseWriter;
