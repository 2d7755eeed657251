//! When the application fails: nothing is doubled, nothing is lost, and the reason is told.

use usher_sandbox::{Answer, Fault, When};

use crate::world::{Ran, World};

async fn with(fault: Fault, method: &str) -> (World, Ran) {
    let world = World::start().await;
    world.faults().inject(When::new(method, "/Users"), fault);
    let ran = world.provision("adele").await;
    (world, ran)
}

fn is_success(ran: &Ran) -> bool {
    ran.code == 0 && ran.out.contains("→ hr-portal: success")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_lost_after_the_write_creates_no_second_account() {
    for fault in [Fault::CutAfter, Fault::AnswerAfter(Answer::new(500)), Fault::AnswerAfter(Answer::new(503))]
    {
        let (world, ran) = with(fault, "POST").await;
        assert!(is_success(&ran), "{}{}", ran.out, ran.err);
        assert_eq!(world.accounts(), ["adele@contoso.example"]);
        assert!(world.provision("adele").await.out.contains("RedundantExport"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_create_without_answer_that_is_not_found_fails_and_is_not_repeated_at_once() {
    for fault in [Fault::Cut, Fault::Answer(Answer::new(500))] {
        let (world, ran) = with(fault, "POST").await;
        assert_eq!(ran.code, 1, "{}", ran.out);
        assert!(ran.out.contains("help:"), "{}", ran.out);
        assert!(world.accounts().is_empty());
        let again = world.provision("adele").await;
        assert_eq!(again.code, 1, "it may still be on its way");
        assert!(again.out.contains("wait two minutes"), "{}", again.out);
        assert!(is_success(&world.provision("megan").await), "nobody else has to wait");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_throttling_application_is_obeyed() {
    let (world, ran) = with(Fault::Answer(Answer::new(429).header("Retry-After", "1")), "POST").await;
    assert!(is_success(&ran), "{}{}", ran.out, ran.err);
    assert_eq!(world.accounts().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_have_their_published_codes() {
    for (fault, code) in [
        (
            Fault::Answer(Answer::new(400).body("{\"detail\":\"userName is odd\"}")),
            "SchemaPropertyCanOnlyAcceptValue",
        ),
        (Fault::Answer(Answer::new(403)), "InsufficientRights"),
        (Fault::Answer(Answer::new(422)), "UnprocessableEntity"),
        (Fault::ContentType("text/html".to_owned()), "SystemForCrossDomainIdentityManagement"),
        (Fault::Truncate, "SystemForCrossDomainIdentityManagement"),
    ] {
        let world = World::start().await;
        world.faults().inject(When::new("POST", "/Users").always(), fault);
        let ran = world.provision("adele").await;
        let is_lost = code == "SystemForCrossDomainIdentityManagement";
        // An answer that cannot be read after a create is a lost answer: the account is found again.
        assert!(ran.out.contains(code) || (is_lost && is_success(&ran)), "{code}: {}{}", ran.out, ran.err);
        assert!(world.accounts().len() <= 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_that_is_down_or_refuses_the_token_stops_the_run_at_the_test() {
    for (fault, code) in [
        (Fault::Answer(Answer::new(401)), "Unauthorized"),
        (Fault::Answer(Answer::new(404)), "SystemForCrossDomainIdentityManagementServiceIncompatible"),
        (Fault::Cut, "WebExceptionProtocolError"),
    ] {
        let world = World::start().await;
        world.faults().inject(When::new("GET", "/Users").always(), fault);
        let ran = world.provision("adele").await;
        assert_eq!(ran.code, 1);
        assert!(ran.out.contains(code), "{code}: {}", ran.out);
        world.faults().clear();
        assert!(world.accounts().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conflict_that_matching_explains_is_an_update() {
    let world = World::start().await;
    // The search misses the account once, as a lagging index does; the create then collides.
    world.provision("adele").await;
    let job = &world.job;
    let path = format!("/v1.0/servicePrincipals/{}/synchronization/jobs", world.principal);
    world.client.delete(&format!("{path}/{job}")).await.expect("the job goes, with its pairs");
    world.client.post(&path, &serde_json::json!({ "templateId": "scim" })).await.expect("a new job comes");
    let none = Answer::new(200)
        .header("content-type", "application/scim+json")
        .body("{\"schemas\":[\"urn:ietf:params:scim:api:messages:2.0:ListResponse\"],\"totalResults\":0,\"Resources\":[]}");
    world.faults().inject(When::new("GET", "/Users").after(1).times(1), Fault::Answer(none));
    world.run(&["user", "update", "adele", "--set", "jobTitle=Boss"]).await;
    let ran = world.provision("adele").await;
    assert!(is_success(&ran), "{}{}", ran.out, ran.err);
    assert_eq!(world.accounts().len(), 1);
    assert_eq!(world.application.sandbox().users()[0]["title"], "Boss");
}
