//! What may be said of a message, and by whom.

/// The kinds of notification a server sends, RFC 5438 §5. Of each a message has one at most.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Disposition {
    /// Whether it reached the recipient.
    Delivery,
    /// What the server did with it.
    Processing,
}

/// What a notification says, RFC 5438 §11.1.7.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Notice {
    /// It reached the recipient. Asked for by `positive-delivery`.
    Delivered,
    /// It did not, and will not. Asked for by `negative-delivery`.
    Failed,
    /// The operator does not let the sender know. Said of the delivery if that was asked for, else of the processing.
    Forbidden,
    /// What became of it can't be told. Said of the delivery if `negative-delivery` was asked for, else of the
    /// processing.
    Error,
    /// It was sent on. Asked for by `processing`.
    Processed,
    /// It is kept, to be sent on later. Asked for by `processing`.
    Stored,
}

/// Who tells the sender that a message arrived.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Positive {
    /// The recipient's device. RFC 5438 §12.2.
    #[default]
    Device,
    /// The server, once a device has answered 2xx; where devices do it as well, the sender is told twice.
    /// Deviation: RFC 5438 §12.2, "the intermediary cannot say delivery occurred just because it received a 2xx".
    Server,
}

impl Notice {
    /// Whether the server says this to a sender whom it answered `answered`, the final SIP status: see the table of
    /// [the module](super). What the sender asked for is another question.
    pub fn is_due(self, answered: u16, positive: Positive) -> bool {
        // RFC 5438 §12.1.3.1: whoever was refused has been told.
        let taken_over = (200..300).contains(&answered);
        match self {
            Self::Delivered => taken_over && positive == Positive::Server,
            Self::Failed | Self::Forbidden | Self::Error => taken_over,
            Self::Stored => answered == 202,
            // After 202 the one notification of the processing was `stored`.
            Self::Processed => taken_over && answered != 202,
        }
    }

    /// The status element's name.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Forbidden => "forbidden",
            Self::Error => "error",
            Self::Processed => "processed",
            Self::Stored => "stored",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_answer_has_its_notices() {
        use Notice::{Delivered, Error, Failed, Forbidden, Processed, Stored};
        let cases: [(u16, Positive, &[Notice]); 5] = [
            (200, Positive::Device, &[Failed, Forbidden, Error, Processed]),
            (200, Positive::Server, &[Delivered, Failed, Forbidden, Error, Processed]),
            (202, Positive::Device, &[Failed, Forbidden, Error, Stored]),
            (202, Positive::Server, &[Delivered, Failed, Forbidden, Error, Stored]),
            (486, Positive::Server, &[]),
        ];
        for (answered, positive, due) in cases {
            for notice in [Delivered, Failed, Forbidden, Error, Processed, Stored] {
                let expected = due.contains(&notice);
                assert_eq!(notice.is_due(answered, positive), expected, "{notice:?} {answered} {positive:?}");
            }
        }
    }
}
