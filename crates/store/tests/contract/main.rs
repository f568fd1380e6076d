//! What every store does: each case runs on the memory store and on SQLite.

mod bindings;
mod changes;
mod crowd;
mod ends;
mod make;
mod puts;
mod reads;

/// Makes a test of each store of each function named, which is `async fn(&dyn Store)`.
#[macro_export]
macro_rules! contract {
    ($($case:ident,)*) => {
        mod memory {
            $(#[tokio::test]
            async fn $case() {
                super::$case(&chappe_store::MemoryStore::default()).await;
            })*
        }

        mod sqlite {
            $(#[tokio::test]
            async fn $case() {
                let folder = tempfile::tempdir().unwrap();
                let store = chappe_store::SqliteStore::open(&folder.path().join("messages.db"));
                super::$case(&*store).await;
                assert_eq!(chappe_store::Store::trouble(&*store), None);
            })*
        }
    };
}
