//! The fakes obey the same contracts as the real things.

use usher_testkit::{MemoryStore, suites};

#[tokio::test]
async fn memory_store_obeys_the_contract() {
    suites::store::run(&MemoryStore::default()).await;
}
