//! What needs no service: expressions, schemas, help; and the service as a process of its own.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use serde_json::json;
use tempfile::TempDir;
use usher::client::Client;
use usher::profile::Profile;

use crate::world::{Ran, finish, program};

fn run(words: &[&str]) -> Ran {
    let mut command = program();
    command.args(words).env("USHER_CONFIG_DIR", "/nonexistent/usher-test");
    finish(command, "")
}

#[test]
fn expressions_are_evaluated_explained_and_tested() {
    let ran = run(&["expression", "eval", "Join(\".\", [a], [b])", "--set", "a=Adele", "--set", "b=Vance"]);
    assert_eq!((ran.code, ran.out.as_str()), (0, "Adele.Vance\n"));
    let ran = run(&["expression", "eval", "ToUpper(Join(\"\", [a]))", "--set", "a=x", "--explain"]);
    assert!(ran.out.contains("Join(\"\", [a]) = \"x\""), "{}", ran.out);
    let ran = run(&["expression", "eval", "Jion(\"\", [a])"]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("Join"), "did you mean: {}", ran.err);

    let folder = TempDir::new().expect("a folder can be made");
    let file = folder.path().join("vectors.json");
    let vectors = json!([
        { "id": "good", "function": "Left", "expression": "Left(\"abc\", 2)", "inputs": {}, "expected": "ab" },
        { "id": "bad", "function": "Left", "expression": "Left(\"abc\", 1)", "inputs": {}, "expected": "b" },
    ]);
    std::fs::write(&file, vectors.to_string()).expect("it is written");
    let ran = run(&["expression", "test", &file.display().to_string()]);
    assert_eq!(ran.code, 1);
    assert!(ran.out.ends_with("1 passed, 1 failed\n"), "{}", ran.out);
    assert_eq!(run(&["expression", "functions"]).code, 0);
    assert!(run(&["expression", "functions", "SelectUniqueValue"]).out.contains("SelectUniqueValue("));
    assert_eq!(run(&["expression", "functions", "Nothing"]).code, 1);
}

#[test]
fn words_and_numbers_that_mean_nothing_are_refused_with_what_does() {
    for (words, says) in [
        (&["log", "list", "--status", "bogus"][..], "[possible values: success, failure, skipped, warning]"),
        (&["log", "list", "--action", "bogus"], "stagedDelete"),
        (&["log", "export", "--status", "Bogus"], "possible values"),
        (&["serve", "--target-timeout", "0"], "1..=3600"),
        (&["serve", "--target-timeout", "99999999999"], "1..=3600"),
        (&["serve", "--log-retention", "0"], "1..=36500"),
        (&["serve", "--log-retention", "99999999999"], "1..=36500"),
        (&["serve", "--on-demand-limit", "0"], "1..=1000000"),
        (&["serve", "--on-demand-limit", "99999999999"], "1..=1000000"),
    ] {
        let ran = run(words);
        assert_eq!(ran.code, 2, "{words:?}: {}", ran.err);
        assert!(ran.err.contains(says), "{words:?}: {}", ran.err);
    }
}

#[test]
fn schema_check_says_every_problem_and_exits_with_it() {
    let folder = TempDir::new().expect("a folder can be made");
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("it is written");
        path.display().to_string()
    };
    let good = write("good.json", include_str!("../../../usher-core/src/templates/scim.json"));
    assert_eq!(run(&["schema", "check", &good]).code, 0);
    let comma = write("comma.json", "{\"directories\": [],}");
    let ran = run(&["schema", "check", &comma]);
    assert_eq!(ran.code, 1);
    assert!(ran.out.contains("comma"), "{}", ran.out);
    assert_eq!(run(&["schema", "check", "/nonexistent.json"]).code, 1);
}

#[test]
fn every_command_has_help_and_nonsense_is_a_usage_error() {
    for words in [
        &["--help"][..],
        &["demo", "--help"],
        &["serve", "--help"],
        &["sandbox", "--help"],
        &["connect", "--help"],
        &["provision", "--help"],
        &["script", "--help"],
        &["app", "create", "--help"],
        &["schema", "check", "--help"],
        &["expression", "test", "--help"],
        &["completions", "bash"],
    ] {
        let ran = run(words);
        assert_eq!(ran.code, 0, "{words:?}");
        assert!(ran.out.len() > 100, "{words:?}");
    }
    for words in [&[][..], &["fly"], &["provision"], &["user", "create"], &["serve", "--listen", "nowhere"]] {
        assert_eq!(run(words).code, 2, "{words:?}");
    }
    assert_eq!(run(&["serve", "--http", "--listen", "0.0.0.0:1"]).code, 2, "plain HTTP stays on loopback");
    assert_eq!(run(&["sandbox", "--listen", "0.0.0.0:1"]).code, 2);
}

#[test]
fn words_that_plan_and_explain_do_not_know_are_no_changes() {
    for verb in ["plan", "explain"] {
        for words in [
            &[verb][..],
            &[verb, "--app", "a"],
            &[verb, "User", "--app", "a"],
            &[verb, "--app", "a", "--nonsense"],
            &[verb, "User", "a", "--app", "a"],
        ] {
            let ran = run(words);
            assert_eq!(ran.code, 1, "{words:?}: {}", ran.err);
            assert!(!ran.err.is_empty(), "{words:?}");
        }
    }
}

#[tokio::test]
async fn certificates_that_cannot_be_used_are_told_before_anything_else() {
    let folder = TempDir::new().expect("a folder can be made");
    let path = |name: &str| folder.path().join(name).display().to_string();
    for name in ["one", "two"] {
        let made = usher_server::Tls::SelfMade { folder: folder.path().join(name) };
        assert!(made.ready().await.is_ok());
    }
    std::fs::write(folder.path().join("empty.pem"), "no certificate").expect("it is written");
    let (certificate, key) = (path("one/server.pem"), path("two/server.key"));
    for (options, says) in [
        (&["--trust-ca", &path("empty.pem"), "--http"][..], "empty.pem: there are no PEM certificates"),
        (&["--trust-ca", &path("nothing.pem"), "--http"], "cannot read"),
        (&["--tls-cert", &certificate, "--tls-key", &key], "two/server.key cannot be used together"),
        (&["--tls-cert", &certificate, "--tls-key", &path("nothing.key")], "nothing.key cannot be used"),
        (&["--tls-cert", &path("empty.pem"), "--tls-key", &key], "empty.pem"),
    ] {
        let data = path("data");
        let words = [&["serve", "--listen", "127.0.0.1:0", "--data", &data][..], options].concat();
        let ran = run(&words);
        assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{options:?}: {}", ran.err);
        assert!(ran.err.contains(says) && !ran.err.contains("usher serves"), "{options:?}: {}", ran.err);
    }
}

#[test]
fn without_a_connection_the_published_sentence_is_said() {
    let ran = run(&["provision", "User", "a", "--app", "b"]);
    assert_eq!(ran.code, 3);
    assert!(ran.err.contains("Authentication needed. Please call Connect-MgGraph."), "{}", ran.err);
    let ran = run(&[
        "New-MgApplicationSynchronizationJobOnDemand",
        "-ApplicationId",
        "a",
        "-SynchronizationJobId",
        "j",
    ]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("Authentication needed. Please call Connect-MgGraph."), "{}", ran.err);
}

/// A service process that has said that it serves, without TLS.
pub fn serve(data: &std::path::Path) -> Child {
    serve_with(data, &["--http"])
}

/// A service process with these options that has said that it serves.
pub fn serve_with(data: &std::path::Path, options: &[&str]) -> Child {
    let mut child = program()
        .args(["serve", "--listen", "127.0.0.1:0", "--data"])
        .arg(data)
        .args(options)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the service starts");
    let mut lines = BufReader::new(child.stderr.take().expect("it has an error stream")).lines();
    let said = lines.by_ref().map_while(Result::ok).find(|line| line.contains("usher serves tenant"));
    assert!(said.is_some(), "it never served");
    // Nobody reads on: the rest must not fill the pipe.
    std::thread::spawn(move || lines.for_each(drop));
    child
}

/// The administrator's profile that the service keeps.
pub fn profile(data: &std::path::Path) -> Profile {
    let text = std::fs::read_to_string(data.join("administrator.json")).expect("the credential is kept");
    let document = serde_json::from_str(&text).expect("it is JSON");
    Profile::from_json(&document).expect("it is complete")
}

/// A client with the administrator's profile.
pub fn connect(data: &std::path::Path) -> Client {
    Client::with(&profile(data)).expect("the client is made")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_service_answered_survives_a_kill() {
    let folder = TempDir::new().expect("a folder can be made");
    let data = folder.path().join("data");
    for round in 0..3 {
        let mut service = serve(&data);
        let client = connect(&data);
        let user = json!({
            "accountEnabled": true, "displayName": "A", "mailNickname": "a",
            "userPrincipalName": format!("a{round}@x.example"), "passwordProfile": { "password": "x" },
        });
        client.post("/v1.0/users", &user).await.expect("the user is made");
        if round == 0 {
            let second =
                program().args(["serve", "--http", "--listen", "127.0.0.1:0", "--data"]).arg(&data).output();
            let second = second.expect("it runs");
            assert_eq!(second.status.code(), Some(1));
            assert!(String::from_utf8_lossy(&second.stderr).contains("in use by another process"));
        }
        service.kill().expect("it is killed");
        service.wait().expect("it is gone");
    }
    let mut service = serve(&data);
    let users = connect(&data).list("/v1.0/users").await.expect("they are listed");
    assert_eq!(users.len(), 3);
    service.kill().expect("it is killed");
    service.wait().expect("it is gone");
}
