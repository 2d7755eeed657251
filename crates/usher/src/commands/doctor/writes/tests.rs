//! Writes that leave nothing behind, against a tenant that lags and loses answers.

use std::collections::BTreeMap;
use std::sync::Arc;

use usher_core::Secret;
use usher_testkit::ManualClock;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

use super::*;
use crate::profile::{Profile, ProfileCredential};

/// What a tenant holds: id to name, and whether it is in the recycle bin.
type Objects = Arc<Mutex<BTreeMap<String, (String, bool)>>>;

/// Which answers of a tenant are not what has come of the request.
#[derive(Clone, Copy, PartialEq)]
enum Loses {
    Nothing,
    /// Those to creates.
    Creates,
    /// Those to creates, with the word to come back at once.
    PutsOff,
    /// Those to deletions of groups, which are deleted for good.
    Deletions,
}

/// A tenant that does not know an object the first `lag` times that it is named.
struct Tenant {
    objects: Objects,
    lag: Mutex<usize>,
    loses: Loses,
    refuses: Option<(&'static str, u16)>,
}

impl Respond for Tenant {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let path = request.url.path();
        let mut objects = self.objects.lock().unwrap();
        let refused = |status: u16| {
            let body = json!({ "error": { "code": "Refused", "message": format!("{path} is refused.") } });
            ResponseTemplate::new(status).set_body_json(body)
        };
        if let Some((method, status)) = self.refuses
            && request.method.as_str() == method
        {
            return refused(status);
        }
        let parts: Vec<&str> = path.trim_start_matches("/v1.0/").split('/').collect();
        if let [_] = parts.as_slice() {
            if request.method.as_str() == "POST" {
                let body: Value = request.body_json().unwrap();
                let name = body["userPrincipalName"].as_str().or(body["mailNickname"].as_str()).unwrap();
                if parts == ["users"] && objects.values().any(|(known, _)| known == name) {
                    return refused(400);
                }
                let is_again = objects.values().any(|(known, _)| known == name);
                let id = format!("id-{}", objects.len());
                objects.insert(id.clone(), (name.to_owned(), false));
                return match self.loses {
                    Loses::Creates => ResponseTemplate::new(504),
                    Loses::PutsOff if !is_again => {
                        ResponseTemplate::new(503).insert_header("retry-after", "1")
                    }
                    _ => ResponseTemplate::new(201).set_body_json(json!({ "id": id })),
                };
            }
            let query: String = request.url.query_pairs().map(|(_, value)| value.into_owned()).collect();
            let mut lag = self.lag.lock().unwrap();
            *lag = lag.saturating_sub(1);
            let found: Vec<Value> = objects
                .iter()
                .filter(|(_, (name, binned))| *lag == 0 && !binned && query.contains(&format!("'{name}'")))
                .map(|(id, _)| json!({ "id": id }))
                .collect();
            return ResponseTemplate::new(200).set_body_json(json!({ "value": found }));
        }
        let mut lag = self.lag.lock().unwrap();
        if *lag > 0 {
            *lag -= 1;
            return refused(404);
        }
        match (request.method.as_str(), parts.as_slice()) {
            ("DELETE", ["groups", id]) if self.loses == Loses::Deletions && objects.remove(*id).is_some() => {
                return ResponseTemplate::new(504).insert_header("retry-after", "0");
            }
            ("GET", ["directory", "deletedItems", id]) if !objects.contains_key(*id) => return refused(404),
            ("DELETE", ["users" | "groups", id]) => match objects.get_mut(*id) {
                Some((_, binned)) if !*binned => *binned = true,
                _ => return refused(404),
            },
            ("POST", ["directory", "deletedItems", id, "restore"]) => match objects.get_mut(*id) {
                Some((_, binned)) if *binned => *binned = false,
                _ => return refused(404),
            },
            ("DELETE", ["directory", "deletedItems", id]) => {
                objects.remove(*id);
            }
            _ => {}
        }
        ResponseTemplate::new(204)
    }
}

/// Runs the writes; what was told, and what is left in the tenant.
async fn tried(lag: usize, loses: Loses, refuses: Option<(&'static str, u16)>) -> (Vec<String>, Objects) {
    let (told, objects, _) = tried_in(lag, loses, refuses).await;
    (told, objects)
}

/// The same, and how long was waited.
async fn tried_in(
    lag: usize,
    loses: Loses,
    refuses: Option<(&'static str, u16)>,
) -> (Vec<String>, Objects, Duration) {
    let objects = Objects::default();
    let tenant = Tenant { objects: objects.clone(), lag: Mutex::new(lag), loses, refuses };
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(tenant).mount(&server).await;
    let profile = Profile {
        address: server.uri(),
        authority: server.uri(),
        tenant: "contoso.example".to_owned(),
        credential: ProfileCredential::Token(Secret::new("a-token")),
        ca: None,
        timeout: None,
    };
    let client = Client::with(&profile).unwrap();
    let clock = ManualClock::default();
    let outcomes = run(&client, "https://graph.example/v1.0", "contoso.example", &clock).await;
    let told = outcomes
        .iter()
        .map(|outcome| match &outcome.result {
            Ok(()) => format!("ok {}", outcome.what),
            Err(error) => format!("failed {}: {error:#}", outcome.what),
        })
        .collect();
    (told, objects, clock.waited().iter().sum())
}

const ALL: [&str; 7] = [
    "ok making a user",
    "ok changing a user",
    "ok making a manager",
    "ok setting and clearing a manager",
    "ok a group, its members one by one and in blocks",
    "ok deleting and restoring a user",
    "ok deleting what was made",
];

#[tokio::test]
async fn everything_is_tried_and_nothing_is_left() {
    let (told, objects) = tried(0, Loses::Nothing, None).await;
    assert_eq!(told, ALL);
    assert!(objects.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_tenant_that_lags_is_waited_for_and_keeps_nothing() {
    let (told, objects) = tried(5, Loses::Nothing, None).await;
    assert_eq!(told, ALL);
    assert!(objects.lock().unwrap().is_empty());
}

#[tokio::test]
async fn what_was_made_without_an_answer_is_found_by_its_name() {
    let (told, objects) = tried(3, Loses::Creates, None).await;
    assert_eq!(told, ALL);
    assert!(objects.lock().unwrap().is_empty());
}

#[tokio::test]
async fn what_was_made_though_the_service_said_to_come_back_is_made_and_left_no_second_time() {
    // The search knows it at once, or only when the request has been sent again.
    for lag in [0, 9] {
        let (told, objects) = tried(lag, Loses::PutsOff, None).await;
        assert_eq!(told, ALL, "{lag}");
        assert!(objects.lock().unwrap().is_empty(), "{lag}: {objects:?}");
    }
}

#[tokio::test]
async fn a_lost_answer_to_a_deletion_is_not_waited_for() {
    let (told, objects, waited) = tried_in(0, Loses::Deletions, None).await;
    assert_eq!(told, ALL);
    assert!(objects.lock().unwrap().is_empty());
    assert!(waited < Duration::from_secs(5), "{waited:?}");
}

#[tokio::test]
async fn what_cannot_be_deleted_is_named() {
    let (told, objects) = tried(0, Loses::Nothing, Some(("DELETE", 403))).await;
    let last = told.last().unwrap();
    assert!(
        last.starts_with("failed deleting what was made: these are left, delete them yourself: "),
        "{last}"
    );
    let objects = objects.lock().unwrap();
    assert_eq!(objects.len(), 3);
    for (id, (name, _)) in objects.iter() {
        let kind = if name.contains('@') { "User" } else { "Group" };
        let command = format!("{name} ({id}): `usher Remove-Mg{kind} -{kind}Id {id}`");
        assert!(last.contains(&command), "{last}");
    }
}

#[tokio::test]
async fn what_was_refused_is_not_looked_for() {
    let (told, _) = tried(0, Loses::Nothing, Some(("POST", 403))).await;
    assert_eq!(told.len(), 2, "{told:?}");
    assert_eq!(told[1], "ok deleting what was made");
}

#[tokio::test]
async fn where_nothing_can_have_been_made_nothing_is_waited_for() {
    let server = MockServer::start().await;
    let stranger = ResponseTemplate::new(401).set_body_raw("<html>Sign in</html>", "text/html");
    Mock::given(any()).respond_with(stranger).mount(&server).await;
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for address in [server.uri(), format!("http://{nobody}")] {
        let profile = Profile {
            address: address.clone(),
            authority: address,
            tenant: "contoso.example".to_owned(),
            credential: ProfileCredential::Token(Secret::new("a-token")),
            ca: None,
            timeout: None,
        };
        let (client, clock) = (Client::with(&profile).unwrap(), ManualClock::default());
        let outcomes = run(&client, "https://graph.example/v1.0", "contoso.example", &clock).await;
        let told: Vec<_> = outcomes.iter().map(|outcome| (outcome.what, outcome.result.is_ok())).collect();
        assert_eq!(told, [("making a user", false), ("deleting what was made", true)]);
        assert!(clock.waited().is_empty(), "{:?}", outcomes[0].result);
    }
}
