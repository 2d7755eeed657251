//! The contract of connectors, kept towards the strict application of our own.

use usher_connectors::HttpOptions;
use usher_sandbox::{Options, Sandbox};
use usher_testkit::suites::connector::{Vocabulary, run};

use crate::support::connector_with;

#[tokio::test]
async fn the_contract_is_kept_in_both_dialects() {
    for (flag, prefix) in [
        ("", "older-"),
        ("?aadOptscim062020", "flag-"),
        ("?managerForm=object&membersPerRequest=1", "options-"),
    ] {
        let sandbox = Sandbox::start(Options::new("tok-123456"), ([127, 0, 0, 1], 0).into()).await.unwrap();
        let address = format!("{}{flag}", sandbox.base_address());
        let settings = [("BaseAddress", address.as_str()), ("SecretToken", "tok-123456")];
        run(&*connector_with(&settings, HttpOptions::default()), Vocabulary::SCIM, prefix).await;
        sandbox.stop().await;
    }
}
