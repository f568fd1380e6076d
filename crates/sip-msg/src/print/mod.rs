//! Writing requests and responses into a buffer of the caller's.

mod decimal;
mod lines;
mod request;
mod response;

pub use decimal::Decimal;
pub use request::RequestWriter;
pub use response::ResponseWriter;
