//! The SQLite store: its contract, one process at a time, and nothing lost when the process is killed.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::Arc;

use serde_json::json;
use usher_core::ports::{EntryQuery, Store, StoredSecret};
use usher_core::{EntryId, EntryKind, Secret};
use usher_store::{OpenError, SecretKey, SqliteStore};
use usher_testkit::suites;

/// The key of all tests but those about keys.
fn key() -> SecretKey {
    SecretKey::read(&Secret::new("A".repeat(43))).expect("it is a key")
}

fn another_key() -> SecretKey {
    SecretKey::read(&SecretKey::generate()).expect("it is a key")
}

#[tokio::test]
async fn secrets_are_sealed_in_the_file_and_open_only_with_their_key() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("usher.sqlite");
    let principal = EntryId::new("sp-1");
    let secret = StoredSecret { key: "SecretToken".to_owned(), value: Secret::new("tr0ub4dor-and-3") };
    assert_eq!(SqliteStore::sealed_with(&path).expect("it is not there"), None);
    {
        let store = SqliteStore::open(&path, key()).expect("it opens");
        store.put_secrets(&principal, std::slice::from_ref(&secret)).await.expect("it is written");
        store.put_setting("token-signing-key", &secret.value).await.expect("it is written");
    }
    let holds = |text: &str| {
        std::fs::read_dir(folder.path()).expect("it reads").any(|file| {
            let bytes = std::fs::read(file.expect("it reads").path()).expect("it reads");
            bytes.windows(text.len()).any(|part| part == text.as_bytes())
        })
    };
    assert!(!holds("tr0ub4dor-and-3"), "nothing of it is in any file");
    assert!(holds("SecretToken"), "the search finds what is there");
    assert!(matches!(SqliteStore::open(&path, another_key()), Err(OpenError::WrongKey { .. })));
    let next = another_key();
    SqliteStore::rotate(&path, &key(), &next).expect("the key is changed");
    assert_eq!(SqliteStore::sealed_with(&path).expect("it reads").as_deref(), Some(next.id()));
    assert!(matches!(SqliteStore::open(&path, key()), Err(OpenError::WrongKey { .. })));
    let store = SqliteStore::open(&path, next).expect("it opens with the new key");
    let read = store.secrets(&principal).await.expect("it reads");
    assert_eq!(read.first().map(|one| one.value.expose()), Some("tr0ub4dor-and-3"));
    let setting = store.setting("token-signing-key").await.expect("it reads");
    assert_eq!(setting.map(|one| one.expose().to_owned()).as_deref(), Some("tr0ub4dor-and-3"));
}

#[tokio::test]
async fn sqlite_store_obeys_the_contract() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let store = SqliteStore::open(&folder.path().join("usher.sqlite"), key()).expect("it opens");
    suites::store::run(&store).await;
}

#[tokio::test]
async fn what_was_written_is_there_after_opening_again() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("usher.sqlite");
    let entry = suites::store::entry(
        EntryKind::User,
        "u-1",
        json!({ "userPrincipalName": "a@x", "tags": ["ä", "ß"] }),
    );
    {
        let store = SqliteStore::open(&path, key()).expect("it opens");
        store.put_entry(&entry).await.expect("it is written");
    }
    let store = SqliteStore::open(&path, key()).expect("it opens again");
    assert_eq!(store.entry(EntryKind::User, &entry.id).await.expect("it reads"), Some(entry));
}

#[tokio::test]
async fn a_second_opening_is_refused_and_says_who_is_there() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("usher.sqlite");
    let _first = SqliteStore::open(&path, key()).expect("it opens");
    let Err(error) = SqliteStore::open(&path, key()) else { panic!("the second opening was allowed") };
    assert!(matches!(error, OpenError::InUse { .. }));
    assert!(error.to_string().contains(&std::process::id().to_string()), "{error}");
}

#[test]
fn a_file_that_is_no_database_is_refused() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("usher.sqlite");
    std::fs::write(&path, "this is a letter, not a database, and long enough to show it")
        .expect("it is written");
    assert!(matches!(SqliteStore::open(&path, key()), Err(OpenError::NotAStore { .. })));
    assert!(std::fs::read_to_string(&path).expect("it is text").starts_with("this is a letter"));
}

#[test]
fn a_database_of_another_program_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("usher.sqlite");
    rusqlite::Connection::open(&path)
        .and_then(|other| other.execute_batch("create table recipes (name text)"))
        .expect("it is made");
    let before = std::fs::read(&path).expect("it reads");
    assert!(matches!(SqliteStore::open(&path, key()), Err(OpenError::NotAStore { .. })));
    assert_eq!(std::fs::read(&path).expect("it reads"), before);
}

#[test]
fn a_folder_that_is_not_there_or_no_folder_is_refused() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let file = folder.path().join("file");
    std::fs::write(&file, "").expect("it is written");
    for place in [folder.path().join("nowhere/usher.sqlite"), file.join("usher.sqlite")] {
        let Err(error) = SqliteStore::open(&place, key()) else { panic!("{} was opened", place.display()) };
        assert!(matches!(error, OpenError::Inaccessible { .. }), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_that_go_away_take_no_reader_along() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let store = Arc::new(SqliteStore::open(&folder.path().join("usher.sqlite"), key()).expect("it opens"));
    for _ in 0..200 {
        let reads: Vec<_> = (0..8)
            .map(|_| {
                let store = store.clone();
                tokio::spawn(async move { store.setting("x").await.map(drop) })
            })
            .collect();
        for (number, read) in reads.into_iter().enumerate() {
            if number % 2 == 0 {
                read.abort();
            } else {
                read.await.expect("no task panics").expect("it reads");
            }
        }
    }
}

#[tokio::test]
async fn a_file_of_a_newer_version_is_refused() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("usher.sqlite");
    drop(SqliteStore::open(&path, key()).expect("it opens"));
    let raw = rusqlite::Connection::open(&path).expect("it opens");
    raw.pragma_update(None, "user_version", 99).expect("it is marked");
    drop(raw);
    assert!(matches!(SqliteStore::open(&path, key()), Err(OpenError::Newer { file: 99, .. })));
}

#[cfg(unix)]
#[test]
fn only_the_owner_can_read_the_file() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("usher.sqlite");
    drop(SqliteStore::open(&path, key()).expect("it opens"));
    let mode = std::fs::metadata(&path).expect("it is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_writers_at_once_all_get_through() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let store = Arc::new(SqliteStore::open(&folder.path().join("usher.sqlite"), key()).expect("it opens"));
    let tasks: Vec<_> = (0..200)
        .map(|number| {
            let store = store.clone();
            tokio::spawn(async move {
                // Every fourth one collides with its neighbour: it must fail alone.
                let name = format!("{}@x", number / 4 * 4);
                let entry = suites::store::entry(
                    EntryKind::User,
                    &format!("u-{number:03}"),
                    json!({ "userPrincipalName": name }),
                );
                store.put_entry(&entry).await.is_ok()
            })
        })
        .collect();
    let mut written = 0;
    for task in tasks {
        written += usize::from(task.await.expect("no task panics"));
    }
    let query = EntryQuery { kind: EntryKind::User, deleted: false, after: None, limit: 999, equals: None };
    assert_eq!((written, store.entries(&query).await.expect("it lists").len()), (50, 50));
}

/// The child of the test below: writes for ever, and prints the number of each write that was answered.
#[tokio::test]
async fn writer_that_is_killed() {
    let Ok(path) = std::env::var("USHER_STORE_TO_WRITE") else { return };
    let store = SqliteStore::open(path.as_ref(), key()).expect("it opens");
    for number in 0_u64.. {
        store.put_setting(&format!("n/{number:06}"), &Secret::new("x")).await.expect("it is written");
        println!("written {number}");
    }
}

#[tokio::test]
async fn nothing_that_was_answered_is_lost_when_the_process_is_killed() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("usher.sqlite");
    for round in 1..=5 {
        let mut child = Command::new(std::env::current_exe().expect("a test knows its file"))
            .args(["--exact", "writer_that_is_killed", "--nocapture"])
            .env("USHER_STORE_TO_WRITE", &path)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the child starts");
        let output = BufReader::new(child.stdout.take().expect("it has an output"));
        let mut last = None;
        for line in output.lines() {
            let line = line.expect("it prints text");
            if let Some((_, number)) = line.split_once("written ") {
                last = number.trim().parse::<u64>().ok();
            }
            if last.is_some_and(|number| number >= 7 * round) {
                break;
            }
        }
        child.kill().expect("it is killed");
        child.wait().expect("it is gone");
        let store = SqliteStore::open(&path, key()).expect("it opens");
        let last = last.expect("it wrote something");
        for number in 0..=last {
            let value = store.setting(&format!("n/{number:06}")).await.expect("it reads");
            assert!(value.is_some(), "write {number} of {last} was answered and is lost");
        }
        assert!(store.entry(EntryKind::User, &EntryId::new("nobody")).await.expect("it reads").is_none());
    }
}
