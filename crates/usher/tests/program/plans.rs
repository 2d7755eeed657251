//! `usher plan`, `usher apply`, `usher explain`: what is reviewed is what is sent, or nothing.

use std::collections::BTreeMap;

use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use usher_core::Anchor;
use usher_core::saved::SavedPlan;
use usher_core::saved::applied::Applied;
use usher_core::saved::symbols::resolved;
use usher_sandbox::{Answer, Fault, When};

use crate::world::{Ran, World};

/// A request as it went over the wire: method, path, body.
type Sent = (String, String, String);

/// A job with a target; a connector joins the property by being one.
trait Site {
    /// The application's name.
    const APP: &'static str;
    /// Sets everything up.
    async fn start() -> Self;
    /// The world that it is in.
    fn world(&self) -> &World;
    /// Something happens in the source.
    async fn stir(&self, dice: &mut ChaCha8Rng);
    /// What the target was sent since the last time; `None` where nothing goes over a wire.
    fn sent(&self) -> Option<Vec<Sent>>;
    /// Somebody changes an account that a plan is about to change.
    async fn change_account(&self, anchor: &str);
}

#[tokio::test(flavor = "multi_thread")]
async fn over_scim_what_is_sent_is_what_was_planned() {
    holds::<Scim>().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn over_the_directory_inside_what_is_sent_is_what_was_planned() {
    holds::<Directory>().await;
}

/// The property, for any target.
async fn holds<S: Site>() {
    let site = S::start().await;
    let mut dice = ChaCha8Rng::seed_from_u64(7);
    let mut has_refused = false;
    for round in 0..8 {
        site.stir(&mut dice).await;
        let plan = plan(&site).await;
        site.sent();
        if !plan.1.has_changes() {
            continue;
        }
        let changed = plan.1.objects.iter().find(|object| {
            object.target_anchor.is_some()
                && object.paired_with == object.target_anchor
                && object.source_type.as_str() == "User"
                && object.requests.iter().any(|request| request.method == "PATCH")
        });
        if let Some(object) = changed.filter(|_| !has_refused) {
            // An outside change refuses the object; a new plan takes it in.
            let anchor = object.target_anchor.clone().expect("it is paired");
            site.change_account(anchor.as_str()).await;
            let (ran, applied) = apply(&site, &plan.0).await;
            assert_eq!(ran.code, 1, "round {round}: {}", ran.out);
            let last = applied.objects.last().expect("it stopped at one");
            assert!(!last.differences.is_empty() && last.requests.is_empty(), "{last:?}");
            has_refused = true;
            site.sent();
            check_applied(&site, self::plan(&site).await).await;
        } else {
            check_applied(&site, plan).await;
        }
        let (_, left) = self::plan(&site).await;
        assert!(!left.has_changes(), "round {round}: {:#?}", left.objects);
    }
    assert!(has_refused, "the dice gave an account that changes");
}

async fn plan<S: Site>(site: &S) -> (String, SavedPlan) {
    let file = site.world().file("plan.json", "").display().to_string();
    let words = ["plan", "--cycle", "--app", S::APP, "--output", "json", "-o", &file];
    let ran = site.world().run(&words).await;
    let plan: SavedPlan = serde_json::from_str(&ran.out).expect("it is a plan");
    assert_eq!(ran.code, if plan.has_changes() { 2 } else { 0 }, "{}{}", ran.out, ran.err);
    (file, plan)
}

async fn apply<S: Site>(site: &S, file: &str) -> (Ran, Applied) {
    let ran = site.world().run(&["apply", file, "--output", "json"]).await;
    let applied = serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{}{}", ran.out, ran.err));
    (ran, applied)
}

async fn check_applied<S: Site>(site: &S, (file, plan): (String, SavedPlan)) {
    let (ran, applied) = apply(site, &file).await;
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let changes = plan.objects.iter().filter(|object| object.is_change());
    let symbols: BTreeMap<Anchor, Anchor> = changes
        .zip(&applied.objects)
        .filter_map(|(planned, done)| Some((planned.target_anchor.clone()?, done.target_anchor.clone()?)))
        .collect();
    let path = |address: &str| match url::Url::parse(address) {
        Ok(url) => url[url::Position::BeforePath..].to_owned(),
        Err(_) => address.to_owned(),
    };
    let body = |body: &Option<Value>| body.as_ref().map(Value::to_string).unwrap_or_default();
    let planned: Vec<Sent> = plan
        .objects
        .iter()
        .flat_map(|object| &object.requests)
        .map(|request| {
            (
                request.method.to_string(),
                resolved(&path(&request.address), &symbols).to_string(),
                resolved(&body(&request.body), &symbols).to_string(),
            )
        })
        .collect();
    let told = applied.objects.iter().flat_map(|object| &object.requests).count();
    assert_eq!(told, planned.len());
    if let Some(sent) = site.sent() {
        assert_eq!(sent, planned, "byte for byte");
    }
}

const NAMES: &[&str] = &["adele", "megan", "alex"];
const TITLES: &[&str] = &["Clerk", "Boss", "Ärztin \"h.c.\"", "a, b; c"];

/// From the directory inside to a SCIM application.
struct Scim(World);

impl Site for Scim {
    const APP: &'static str = "hr-portal";

    async fn start() -> Self {
        Self(World::start().await)
    }

    fn world(&self) -> &World {
        &self.0
    }

    async fn stir(&self, dice: &mut ChaCha8Rng) {
        for _ in 0..dice.random_range(1..4) {
            let name = *NAMES.choose(dice).expect("there are names");
            let title = *TITLES.choose(dice).expect("there are titles");
            let set = match dice.random_range(0..4) {
                0 => format!("accountEnabled={}", dice.random::<bool>()),
                1 => format!("department={}", dice.random_range(1..9)),
                _ => format!("jobTitle={title}"),
            };
            let ran =
                self.0.run(&["user", "update", &format!("{name}@contoso.example"), "--set", &set]).await;
            assert_eq!(ran.code, 0, "{}", ran.err);
        }
    }

    fn sent(&self) -> Option<Vec<Sent>> {
        let writes = self.0.exchanges().into_iter().filter(|exchange| exchange.method != "GET");
        Some(
            writes
                .map(|one| {
                    let body = one.request.as_ref().map(Value::to_string).unwrap_or_default();
                    (one.method, one.path, body)
                })
                .collect(),
        )
    }

    async fn change_account(&self, anchor: &str) {
        rename_in_the_application(&self.0, anchor).await;
    }
}

/// The application's own administrator changes an account there.
async fn rename_in_the_application(world: &World, anchor: &str) {
    use tower::ServiceExt as _;
    let body = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{ "op": "replace", "path": "displayName", "value": "changed by hand" }],
    });
    let request = http::Request::patch(format!("/scim/v2/Users/{anchor}"))
        .header("authorization", "Bearer t")
        .header("content-type", "application/scim+json")
        .body(axum::body::Body::from(body.to_string()))
        .expect("it can be sent");
    let reply = world.application.sandbox().router().oneshot(request).await.expect("it answers");
    assert!(reply.status().is_success(), "{}", reply.status());
}

/// From uploaded records to the directory inside.
struct Directory(World);

impl Site for Directory {
    const APP: &'static str = "hr-feed";

    async fn start() -> Self {
        let world = World::start().await;
        let made = world.run(&["app", "create", "hr-feed", "--template", "API2AAD"]).await;
        assert_eq!(made.code, 0, "{}", made.err);
        Self(world)
    }

    fn world(&self) -> &World {
        &self.0
    }

    async fn stir(&self, dice: &mut ChaCha8Rng) {
        let records: Vec<Value> = (0..dice.random_range(1..4))
            .map(|_| {
                let number = dice.random_range(1..5);
                json!({
                    "externalId": number.to_string(), "userName": format!("feed{number}@feed.example"),
                    "displayName": TITLES.choose(dice), "active": dice.random_range(0..5) > 0,
                    "name": { "givenName": "x", "familyName": "y" },
                    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {
                        "department": TITLES.choose(dice), "manager": { "value": if number == 1 { "4" } else { "1" } },
                    },
                })
            })
            .collect();
        let file = self.0.file("people.json", &Value::Array(records).to_string()).display().to_string();
        let ran = self.0.run(&["job", "upload", "--app", Self::APP, &file]).await;
        assert_eq!(ran.code, 0, "{}", ran.err);
    }

    fn sent(&self) -> Option<Vec<Sent>> {
        None
    }

    async fn change_account(&self, anchor: &str) {
        let ran = self.0.run(&["user", "update", anchor, "--set", "displayName=changed by hand"]).await;
        assert_eq!(ran.code, 0, "{}", ran.err);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_shown_to_people_and_as_requests_and_its_exit_code_tells() {
    let world = World::start().await;
    let words = ["plan", "User", "adele@contoso.example", "--app", "hr-portal"];
    let ran = world.run(&words).await;
    assert_eq!(ran.code, 2, "{}{}", ran.out, ran.err);
    for said in
        ["+ User adele@contoso.example (@new-user-1): create", "✓ scoping", "before", "POST http://127."]
    {
        assert!(ran.out.contains(said), "{said}: {}", ran.out);
    }
    assert!(ran.out.ends_with("0 in step, 0 skipped, 0 failed\n"), "{}", ran.out);
    let ran = world.run(&[&words[..], &["--output", "requests"]].concat()).await;
    assert!(
        ran.out.contains("Authorization: Bearer [Redact]\nContent-Type: application/scim+json"),
        "{}",
        ran.out
    );
    let ran = world.run(&[&words[..], &["--output", "ldif"]].concat()).await;
    assert_eq!(ran.code, 1, "no LDIF is an error, not a plan with changes: {}", ran.err);
    assert!(ran.err.contains("does not speak LDAP"), "{}", ran.err);

    world.provision("adele").await;
    let ran = world.run(&words).await;
    assert_eq!(ran.code, 0, "{}", ran.out);
    assert!(ran.out.contains("RedundantExport"), "{}", ran.out);
    for (wrong, says) in [
        (&["plan", "--nonsense"][..], "--nonsense"),
        (&["plan", "--app", "hr-portal"], "no subject is named"),
        (&["plan", "User", "nobody", "--app", "hr-portal"], "there is no user 'nobody'"),
        (&["plan", "User", "adele", "--cycle", "--app", "hr-portal"], "--cycle plans all"),
    ] {
        let ran = world.run(wrong).await;
        assert_eq!(ran.code, 1, "{wrong:?}: 2 would mean changes");
        assert!(ran.err.contains(says), "{wrong:?}: {}", ran.err);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn several_subjects_a_group_with_members_and_a_changed_file() {
    let world = World::start().await;
    let file = world.file("plan.json", "").display().to_string();
    let words = ["plan", "Group", "Retail", "--app", "hr-portal", "--member", "adele", "--member", "megan"];
    let ran = world.run(&[&words[..], &["-o", &file]].concat()).await;
    assert_eq!(ran.code, 2, "{}{}", ran.out, ran.err);
    let text = std::fs::read_to_string(&file).expect("it is saved");
    for secret in ["SecretToken", "Bearer t"] {
        assert!(!text.contains(secret), "{secret}");
    }
    let changed = world.file("changed.json", &text.replace("adele@contoso", "eve@contoso"));
    let refused = world.run(&["apply", &changed.display().to_string()]).await;
    assert_eq!(refused.code, 1);
    assert!(refused.err.contains("was changed after it was made"), "{}", refused.err);
    assert!(world.accounts().is_empty());
    let ran = world.run(&["apply", &file]).await;
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.out.ends_with("all of the plan is applied: 3 applied\n"), "{}", ran.out);
    let groups = world.application.sandbox().groups();
    assert_eq!(groups[0]["members"].as_array().map(Vec::len), Some(2));
    let again = world.run(&["apply", &file]).await;
    assert!(again.code == 1 && again.err.contains("applied already"), "{}", again.err);
    let nothing = world.file("nothing.json", "{}");
    let ran = world.run(&["apply", &nothing.display().to_string()]).await;
    assert!(ran.code == 1 && ran.err.contains("is no saved plan"), "{}", ran.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_failed_in_the_plan_is_named_when_it_is_applied() {
    let world = World::start().await;
    // The first question only tries the credentials.
    world.faults().inject(When::new("GET", "/Users").after(1), Fault::Answer(Answer::new(400)));
    let file = world.file("plan.json", "").display().to_string();
    let words = ["plan", "User", "adele", "--app", "hr-portal", "-o", &file];
    let ran = world.run(&words).await;
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    assert!(ran.err.contains("nothing of it can be applied"), "{}", ran.err);
    let ran = world.run(&["apply", &file]).await;
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    assert!(
        ran.out.contains(": failed when the plan was made; nothing was sent")
            && ran.out.contains("incomplete: 0 applied, 1 failed; mend what failed when the plan was made"),
        "{}",
        ran.out
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_guard_holds_back_is_counted_and_is_a_change() {
    let world = World::start().await;
    let file = world.file("plan.json", "").display().to_string();
    let file = file.as_str();
    world.run(&["plan", "User", "adele", "megan", "--app", "hr-portal", "-o", file]).await;
    assert_eq!(world.run(&["apply", file]).await.code, 0);
    let set = world.run(&["job", "set", "--app", "hr-portal", "--delete-threshold", "1"]).await;
    assert_eq!(set.code, 0, "{}", set.err);
    for words in [
        &["app", "unassign", "hr-portal", "adele@contoso.example", "megan@contoso.example"][..],
        &["app", "unassign", "hr-portal", "Retail", "--group"],
    ] {
        let ran = world.run(words).await;
        assert_eq!(ran.code, 0, "{}", ran.err);
    }
    let words = ["plan", "User", "adele", "megan", "--app", "hr-portal", "-o", file];
    let ran = world.run(&words).await;
    assert_eq!(ran.code, 2, "{}{}", ran.out, ran.err);
    assert!(
        ran.out.contains("0 to disable, 0 to delete; 2 held back, 0 in step")
            && ran.out.contains("guard: 2 accounts would be disabled or deleted, 1 is allowed"),
        "{}",
        ran.out
    );
    assert!(ran.err.contains("nothing of it can be applied: the deletion guard holds back 2"), "{}", ran.err);
    let saved = std::fs::read_to_string(file).expect("it is saved");
    assert!(saved.contains("\"heldBack\": 2"), "{saved}");
    let ran = world.run(&["apply", file]).await;
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(
        ran.out.contains("but for what the deletion guard holds back: 0 applied, 2 held back"),
        "{}",
        ran.out
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_that_fails_tells_what_was_sent_and_what_came_back() {
    let world = World::start().await;
    world.provision("megan").await;
    let file = world.file("plan.json", "").display().to_string();
    let words = ["plan", "User", "adele", "--app", "hr-portal", "-o", &file];
    let ran = world.run(&words).await;
    assert_eq!(ran.out.matches("/scim/v2/Users").count(), 2, "an account, and its manager: {}", ran.out);
    world.faults().inject(When::new("POST", "/Users"), Fault::Answer(Answer::new(400)));
    let ran = world.run(&["apply", &file]).await;
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("    POST /Users → 400\n") && !ran.out.contains("PATCH"), "{}", ran.out);
    world.faults().inject(When::new("PATCH", "/Users"), Fault::Answer(Answer::new(400)));
    let ran = world.run(&["apply", &file]).await;
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("    POST /Users → 201\n    PATCH /Users/"), "{}", ran.out);
    assert!(ran.out.contains(" → 400\n"), "{}", ran.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_that_the_target_refuses_is_not_replaced_by_another() {
    let world = World::start().await;
    world.provision("adele").await;
    world.run(&["user", "update", "adele@contoso.example", "--set", "jobTitle=Boss"]).await;
    let file = world.file("plan.json", "").display().to_string();
    world.run(&["plan", "User", "adele@contoso.example", "--app", "hr-portal", "-o", &file]).await;
    world.exchanges();
    world.faults().inject(When::new("PATCH", "/Users").always(), Fault::Answer(Answer::new(405)));
    let ran = world.run(&["apply", &file]).await;
    assert_eq!(ran.code, 1, "{}", ran.out);
    let sent: Vec<String> = world
        .exchanges()
        .iter()
        .filter(|exchange| exchange.method != "GET")
        .map(|exchange| exchange.method.clone())
        .collect();
    assert_eq!(sent, ["PATCH"], "provisioning would go on with PUT; a plan that was reviewed must not");
}

#[tokio::test(flavor = "multi_thread")]
async fn explanations_tell_why_somebody_is_created_or_skipped() {
    let world = World::start().await;
    let ran = world.run(&["explain", "User", "adele@contoso.example", "--app", "hr-portal"]).await;
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    for said in [
        "has userName \"adele@contoso.example\"?",
        "→ none",
        "mappings",
        "active",
        "[IsSoftDeleted] = \"False\"",
        "POST http://127.",
    ] {
        assert!(ran.out.contains(said), "{said}: {}", ran.out);
    }
    let ran = world.run(&["explain", "User", "alex@contoso.example", "--app", "hr-portal"]).await;
    assert!(ran.out.contains("This object is not assigned to the application."), "{}", ran.out);
    world.provision("alex").await;
    let log = world.run(&["log", "list", "--output", "json"]).await;
    let events: Value = serde_json::from_str(&log.out).expect("it is JSON");
    let id = events[0]["id"].as_str().expect("it has an id");
    let ran = world.run(&["explain", "--event", id, "--app", "hr-portal"]).await;
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.out.contains("Assigned to the application: False"), "{}", ran.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_tells_each_request_with_its_answer_and_of_no_other_application() {
    let world = World::start().await;
    world.faults().inject(
        When::new("POST", "/Users"),
        Fault::Answer(Answer::new(400).body(r#"{"detail":"an unusable name"}"#)),
    );
    world.provision("adele").await;
    world.provision("adele").await;
    let log = world.run(&["log", "list", "--output", "json"]).await;
    let events: Value = serde_json::from_str(&log.out).expect("it is JSON");
    let id = |place: usize| events[place]["id"].as_str().expect("it has an id");
    let ran = world.run(&["explain", "--event", id(0), "--app", "hr-portal"]).await;
    assert_eq!(ran.code, 0, "{}", ran.err);
    for said in ["POST /Users → 201", "\"displayName\": \"adele\"", "\"resourceType\": \"User\""] {
        assert!(ran.out.contains(said), "{said}: {}", ran.out);
    }
    let ran = world.run(&["explain", "--event", id(1), "--app", "hr-portal"]).await;
    for said in ["POST /Users → 400", "an unusable name"] {
        assert!(ran.out.contains(said), "{said}: {}", ran.out);
    }
    let ran = world.run(&["explain", "--event", id(0), "--app", "hr-portal", "--output", "json"]).await;
    let told: Value = serde_json::from_str(&ran.out).expect("it is JSON");
    assert_eq!(told["requests"][0]["answer"]["status"], 201);
    assert!(told["recording"].is_null() && told["event"].get("requests").is_none(), "{told:#}");

    let made = world.run(&["app", "create", "other-portal", "--template", "scim"]).await;
    assert_eq!(made.code, 0, "{}", made.err);
    let ran = world.run(&["explain", "--event", id(0), "--app", "other-portal"]).await;
    assert_eq!(ran.code, 1, "{}", ran.out);
    assert!(
        ran.err.contains("is none of 'other-portal': it belongs to 'hr-portal'") && ran.out.is_empty(),
        "{}{}",
        ran.out,
        ran.err
    );
    let ran = world.run(&["explain", "--event", id(0), "--app", "hr-portal", "--job", "nonsense"]).await;
    assert!(ran.code == 1 && ran.err.contains("is none of the job 'nonsense'"), "{}", ran.err);
    let ran = world.run(&["explain", "--event", "nonsense", "--app", "hr-portal"]).await;
    assert!(ran.code == 1 && !ran.err.is_empty(), "{}", ran.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_in_the_address_is_sent_and_shown_nowhere() {
    let world = World::start().await;
    let address = world.application.base_address();
    let address = format!("BaseAddress={address}?token=s3cret-in-query&b4re-s3cret&n=5");
    let set = world.run(&["secret", "set", "--app", "hr-portal", &address]).await;
    assert_eq!(set.code, 0, "{}", set.err);
    let listed = world.run(&["secret", "list", "--app", "hr-portal"]).await;
    assert!(
        listed.out.contains("?token=*****&*****&n=*****") && !listed.out.contains("s3cret"),
        "{}",
        listed.out
    );
    // What was listed goes back with every other change.
    let set = world.run(&["secret", "set", "--app", "hr-portal", "SyncAll=true"]).await;
    assert_eq!(set.code, 0, "{}", set.err);
    let file = world.file("plan.json", "").display().to_string();
    let words = ["plan", "User", "adele", "--app", "hr-portal", "-o", &file, "--output"];
    for output in ["people", "requests", "json"] {
        let ran = world.run(&[&words[..], &[output]].concat()).await;
        assert_eq!(ran.code, 2, "{}", ran.err);
        assert!(ran.out.contains("/Users?token=[Redact]&[Redact]=&n=[Redact]"), "{output}: {}", ran.out);
        assert!(!ran.out.contains("s3cret") && !ran.err.contains("s3cret"), "{output}: {}", ran.out);
    }
    let saved = std::fs::read_to_string(&file).expect("it is saved");
    assert!(!saved.contains("s3cret"), "{saved}");
    world.exchanges();
    let ran = world.run(&["apply", &file]).await;
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(!ran.out.contains("s3cret"), "{}", ran.out);
    let sent = world.exchanges();
    let post = sent.iter().find(|one| one.method == "POST").expect("it was sent");
    assert_eq!(post.path, "/scim/v2/Users?token=s3cret-in-query&b4re-s3cret=&n=5");

    // The plan is bound to the address, what is hidden of it included.
    let words = ["plan", "User", "megan", "--app", "hr-portal", "-o", &file];
    assert_eq!(world.run(&words).await.code, 2);
    world.run(&["secret", "set", "--app", "hr-portal", &address.replace("s3cret", "other")]).await;
    let ran = world.run(&["apply", &file]).await;
    assert!(ran.code == 1 && ran.err.contains("settings or secrets"), "{}{}", ran.out, ran.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_that_stands_twice_in_the_file_is_a_change() {
    let world = World::start().await;
    let file = world.file("plan.json", "").display().to_string();
    world.run(&["plan", "User", "adele", "--app", "hr-portal", "-o", &file]).await;
    let text = std::fs::read_to_string(&file).expect("it is saved");
    let twice = text.replacen("\"action\": \"create\"", "\"action\": \"delete\", \"action\": \"create\"", 1);
    assert_ne!(twice, text);
    let changed = world.file("twice.json", &twice).display().to_string();
    let ran = world.run(&["apply", &changed]).await;
    assert_eq!(ran.code, 1, "{}", ran.out);
    assert!(ran.err.contains("$.objects[0].action stands twice in it; nothing was applied"), "{}", ran.err);
    assert!(world.accounts().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_the_target_refuses_is_told_and_the_others_are_applied() {
    let world = World::start().await;
    let file = world.file("plan.json", "").display().to_string();
    let words = ["plan", "Group", "Retail", "--app", "hr-portal", "--member", "adele", "--member", "megan"];
    world.run(&[&words[..], &["-o", &file]].concat()).await;
    world.faults().inject(When::new("POST", "/Users").after(1), Fault::Answer(Answer::new(400)));
    let ran = world.run(&["apply", &file]).await;
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    assert!(
        ran.out.ends_with(
            "incomplete: 1 applied, 2 failed; apply the plan again to try once more what is left, or plan anew\n"
        ),
        "{}",
        ran.out
    );
    assert_eq!(world.accounts().len(), 1, "{}", ran.out);
    let ran = world.run(&["apply", &file]).await;
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.out.ends_with("all of the plan is applied: 3 applied\n"), "{}", ran.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn recorded_objects_are_tried_on_a_new_schema() {
    let world = World::start().await;
    let words = ["schema", "replay", "new.json", "--app", "hr-portal"];
    let schema = world.run(&["schema", "show", "--app", "hr-portal"]).await.out;
    let new = world.file("new.json", &schema.replacen("[jobTitle]", "[department]", 1)).display().to_string();
    let words: Vec<&str> =
        words.iter().map(|word| if *word == "new.json" { new.as_str() } else { word }).collect();
    let ran = world.run(&words).await;
    assert_eq!(ran.code, 1, "{}", ran.out);
    assert!(ran.err.contains("has recorded no source objects"), "{}", ran.err);
    let set = world.run(&["job", "set", "--app", "hr-portal", "--keep-source-objects", "P7D"]).await;
    assert_eq!(set.code, 0, "{}", set.err);
    let set = world.run(&["user", "update", "adele@contoso.example", "--set", "department=Retail"]).await;
    assert_eq!(set.code, 0, "{}", set.err);
    // The second event finds everything in step; the new schema would not.
    world.provision("adele").await;
    world.provision("adele").await;
    let ran = world.run(&words).await;
    assert_eq!(ran.code, 2, "{}{}", ran.out, ran.err);
    assert!(ran.out.ends_with("2 of 2 people come out differently\n"), "{}", ran.out);
    assert!(ran.out.contains(", event "), "{}", ran.out);
    assert!(!ran.err.contains("not imported"), "{}", ran.err);
    let other =
        world.file("other.json", &schema.replacen("[jobTitle]", "[employeeType]", 1)).display().to_string();
    let told = world.run(&["schema", "replay", &other, "--app", "hr-portal"]).await;
    assert!(told.err.contains("the new schema reads employeeType of User"), "{}{}", told.out, told.err);
    assert!(ran.out.contains("account title was \"Clerk\" and is \"Retail\""), "{}", ran.out);
    let log = world.run(&["log", "list", "--output", "json"]).await;
    let events: Value = serde_json::from_str(&log.out).expect("it is JSON");
    let id = events[0]["id"].as_str().expect("it has an id");
    let ran = world.run(&["explain", "--event", id, "--app", "hr-portal"]).await;
    for said in ["skipped", "mappings", "title = \"Clerk\""] {
        assert!(ran.out.contains(said), "{said}: {}", ran.out);
    }
    let id = events[1]["id"].as_str().expect("it has an id");
    let ran = world.run(&["explain", "--event", id, "--app", "hr-portal"]).await;
    for said in ["title = \"Clerk\"", "→ none", "POST /Users → 201", "\"resourceType\": \"User\""] {
        assert!(ran.out.contains(said), "{said}: {}", ran.out);
    }
}
