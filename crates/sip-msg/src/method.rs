//! Request methods (RFC 3261 §7.1). They are tokens and case-sensitive.

use std::fmt;

macro_rules! methods {
    ($($variant:ident = $text:literal),* $(,)?) => {
        /// A request's method. What is not in this list is kept as it was written.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Method<'a> {
            $(#[doc = $text] $variant,)*
            /// A method this crate has no name for.
            Other(&'a [u8]),
        }

        impl<'a> Method<'a> {
            /// The method of these bytes; any token is a method.
            pub fn of(text: &'a [u8]) -> Self {
                $(if text == $text.as_bytes() { return Method::$variant; })*
                Method::Other(text)
            }

            /// The method as it stands on the wire.
            pub fn as_bytes(&self) -> &'a [u8] {
                match self {
                    $(Method::$variant => $text.as_bytes(),)*
                    Method::Other(text) => text,
                }
            }
        }
    };
}

methods! {
    Message = "MESSAGE",
    Register = "REGISTER",
    Options = "OPTIONS",
    Invite = "INVITE",
    Ack = "ACK",
    Cancel = "CANCEL",
    Bye = "BYE",
    Subscribe = "SUBSCRIBE",
    Notify = "NOTIFY",
    Publish = "PUBLISH",
    Info = "INFO",
    Refer = "REFER",
    Update = "UPDATE",
    Prack = "PRACK",
}

impl fmt::Display for Method<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(self.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::Method;

    #[test]
    fn case_matters() {
        assert_eq!(Method::of(b"MESSAGE"), Method::Message);
        assert_eq!(Method::of(b"message"), Method::Other(b"message"));
        assert_eq!(Method::of(b"PRACK").as_bytes(), b"PRACK");
    }
}
