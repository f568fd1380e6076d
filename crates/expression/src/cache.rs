//! Expressions that were compiled before: those that come with each message are mostly the same few.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use crate::{Expression, ExpressionError};

/// Expressions that a thread keeps compiled; one more and it starts afresh.
pub const MAX_CACHED: usize = 512;

/// Octets of the longest expression that is kept.
const MAX_LENGTH: usize = 4096;

/// A compiled expression, or why it can't be used.
pub type Shared = Arc<Result<Expression, ExpressionError>>;

impl Expression {
    /// As [`new`](Self::new), from this thread's cache.
    pub fn cached(text: &str) -> Shared {
        thread_local! {
            static CACHE: RefCell<HashMap<String, Shared>> = RefCell::default();
        }
        if text.len() > MAX_LENGTH {
            return Arc::new(Self::new(text));
        }
        CACHE.with_borrow_mut(|cache| of(cache, text))
    }
}

fn of(cache: &mut HashMap<String, Shared>, text: &str) -> Shared {
    if let Some(known) = cache.get(text) {
        return known.clone();
    }
    if cache.len() >= MAX_CACHED {
        cache.clear();
    }
    let expression = Arc::new(Expression::new(text));
    cache.insert(text.to_owned(), expression.clone());
    expression
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_kept_but_not_all() {
        let mut cache = HashMap::new();
        let bad = of(&mut cache, "(");
        assert!(bad.is_err() && Arc::ptr_eq(&bad, &of(&mut cache, "(")));
        for number in 0..3 * MAX_CACHED {
            let expression = of(&mut cache, &format!("^{number}$"));
            assert_eq!(expression.as_ref().as_ref().map(|it| it.is_match(&number.to_string())), Ok(Ok(true)));
            assert!(cache.len() <= MAX_CACHED);
        }
        assert!(!cache.contains_key("("));
    }
}
