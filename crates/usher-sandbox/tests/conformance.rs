//! The conformance suite scim2-tester, which `cargo xtask test` installs, finds nothing to object to.

use std::path::PathBuf;
use std::process::Command;

use usher_sandbox::{Options, Sandbox};

const TOKEN: &str = "open-sesame";

#[tokio::test(flavor = "multi_thread")]
async fn scim2_tester_passes_every_check_but_the_search_we_do_not_offer() {
    let folder = std::env::var_os("USHER_TEST_SERVERS").expect("`cargo xtask test` sets USHER_TEST_SERVERS");
    let running = Sandbox::start(Options::new(TOKEN), ([127, 0, 0, 1], 0).into()).await.unwrap();
    let mut suite = Command::new(PathBuf::from(folder).join("venv/bin/scim2"));
    suite
        .args(["--url", &running.base_address(), "test"])
        .env("SCIM_CLI_HEADERS", format!("Authorization: Bearer {TOKEN}"))
        .env("NO_COLOR", "1");
    let output = tokio::task::spawn_blocking(move || suite.output()).await.unwrap().unwrap();
    let report = String::from_utf8_lossy(&output.stdout).into_owned();
    // After its title the report has a line for each check, with its reason indented below.
    let (passed, others): (Vec<&str>, Vec<&str>) = report
        .lines()
        .skip(1)
        .filter(|line| !line.starts_with(' '))
        .partition(|line| line.starts_with("SUCCESS "));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(others, ["SKIPPED search_with_attributes"; 2], "{report}\n{errors}");
    assert!(passed.len() > 130, "only {} checks ran\n{report}", passed.len());
    assert!(running.sandbox().users().is_empty(), "the suite tidies up after itself");
    running.stop().await;
}
