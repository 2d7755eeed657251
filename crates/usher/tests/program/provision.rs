//! `usher provision`: the friendly way.

use serde_json::Value;

use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_provisioned_and_every_step_is_shown() {
    let world = World::start().await;
    let plan =
        world.run(&["provision", "User", "adele@contoso.example", "--app", "hr-portal", "--plan"]).await;
    assert_eq!(plan.code, 0, "{}", plan.err);
    assert!(
        plan.out.contains("POST /Users") && plan.out.contains("dry run: nothing was written"),
        "{}",
        plan.out
    );
    assert!(world.accounts().is_empty());

    let ran = world.provision("adele").await;
    assert_eq!(ran.code, 0, "{}", ran.err);
    for said in
        ["→ hr-portal: success", "✓ import", "✓ scoping", "✓ matching", "✓ export", "userName", "before"]
    {
        assert!(ran.out.contains(said), "{said}: {}", ran.out);
    }
    assert!(!ran.out.contains('\u{1b}'), "colours are for terminals");
    assert_eq!(world.accounts(), ["adele@contoso.example"]);

    let again = world.provision("adele").await;
    assert_eq!(again.code, 0);
    assert!(again.out.contains("skipped") && again.out.contains("RedundantExport"), "{}", again.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_who_is_not_assigned_is_skipped_and_told_why() {
    let world = World::start().await;
    let ran = world.provision("alex").await;
    assert_eq!(ran.code, 0);
    assert!(ran.out.contains("This object is not assigned to the application."), "{}", ran.out);
    assert!(world.accounts().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_comes_with_members_and_a_person_with_the_manager() {
    let world = World::start().await;
    let ran = world
        .run(&["provision", "User", "adele", "--app", "hr-portal", "--manager", "megan@contoso.example"])
        .await;
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert_eq!(world.accounts().len(), 2);
    let adele = world
        .application
        .sandbox()
        .users()
        .into_iter()
        .find(|user| user["userName"] == "adele@contoso.example");
    let extension = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    assert!(adele.expect("she is there")[extension]["manager"]["value"].is_string());

    let ran = world
        .run(&[
            "provision",
            "Group",
            "Retail",
            "--app",
            "hr-portal",
            "--member",
            "adele",
            "--member",
            "megan",
        ])
        .await;
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let groups = world.application.sandbox().groups();
    assert_eq!(groups[0]["members"].as_array().map(Vec::len), Some(2));

    world.run(&["group", "remove", "Retail", "megan"]).await;
    world.run(&["provision", "Group", "Retail", "--app", "hr-portal", "--member", "megan"]).await;
    let groups = world.application.sandbox().groups();
    assert_eq!(groups[0]["members"].as_array().map(Vec::len), Some(1), "who left the group is taken out");

    let six = ["--member", "adele"].repeat(6);
    let words: Vec<&str> =
        ["provision", "Group", "Retail", "--app", "hr-portal"].into_iter().chain(six).collect();
    let ran = world.run(&words).await;
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("at most 5"), "{}", ran.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn switched_off_and_on_again() {
    let world = World::start().await;
    world.provision("adele").await;
    let active = || world.application.sandbox().users()[0]["active"].clone();
    world.run(&["user", "update", "adele", "--set", "accountEnabled=false"]).await;
    let ran = world.provision("adele").await;
    assert!(ran.out.contains("was disabled"), "{}", ran.out);
    assert_eq!(active(), false);
    world.run(&["user", "update", "adele", "--set", "accountEnabled=true"]).await;
    world.provision("adele").await;
    assert_eq!(active(), true);
    world.run(&["app", "unassign", "hr-portal", "Retail", "--group"]).await;
    world.run(&["app", "unassign", "hr-portal", "adele"]).await;
    world.provision("adele").await;
    assert_eq!(active(), false);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_people_end_in_a_summary() {
    let world = World::start().await;
    let file = world.file(
        "people.txt",
        "# people\nadele@contoso.example\nmegan@contoso.example\nnobody@contoso.example\n",
    );
    let ran =
        world.run(&["provision", "User", "--file", &file.display().to_string(), "--app", "hr-portal"]).await;
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("2 provisioned, 0 skipped, 1 failed"), "{}", ran.err);
    assert!(ran.err.contains("there is no user 'nobody@contoso.example'"), "{}", ran.err);
    assert_eq!(world.accounts().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn other_forms_of_output_are_data() {
    let world = World::start().await;
    let words = ["provision", "User", "adele", "--app", "hr-portal", "--plan", "--output"];
    let json = world.run(&[&words[..], &["json"]].concat()).await;
    let answer: Value = serde_json::from_str(&json.out).expect("it is JSON");
    assert!(answer["key"].is_string());
    let value = world.run(&[&words[..], &["value"]].concat()).await;
    let value: Value = serde_json::from_str(&value.out).expect("it is JSON");
    assert_eq!(value["action"], "Create");
    let table = world.run(&[&words[..], &["table"]].concat()).await;
    assert!(table.out.contains("ATTRIBUTE") && table.out.contains("adele@contoso.example"), "{}", table.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_named_with_a_hint() {
    let world = World::start().await;
    for (words, says) in [
        (&["provision", "User", "nobody", "--app", "hr-portal"][..], "there is no user 'nobody'"),
        (&["provision", "User", "adele", "--app", "nix"], "there is no application 'nix'"),
        (&["provision", "Device", "x", "--app", "hr-portal"], "no rule of the job's schema"),
        (&["provision", "User", "adele", "--app", "hr-portal", "--rule", "x"], "RequestParameterInvalid"),
        (&["provision", "User", "adele", "--app", "hr-portal", "--job", "x"], "Request_ResourceNotFound"),
        (&["user", "show", "nobody"], "there is no user 'nobody'"),
    ] {
        let ran = world.run(words).await;
        assert_eq!(ran.code, 1, "{words:?}: {}", ran.err);
        assert!(ran.err.contains(says), "{words:?}: {}", ran.err);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_are_never_printed() {
    let world = World::start().await;
    let file = world.file("hush.txt", "hush-hush-token");
    let pair = format!("SecretToken=@{}", file.display());
    world.run(&["secret", "set", "--app", "hr-portal", &pair]).await;
    for words in [
        &["secret", "list", "--app", "hr-portal"][..],
        &["provision", "User", "adele", "--app", "hr-portal"],
        &["job", "test", "--app", "hr-portal"],
        &["log", "export"],
    ] {
        let ran = world.run(words).await;
        assert!(!format!("{}{}", ran.out, ran.err).contains("hush-hush"), "{words:?}");
    }
    let ran = world.provision("adele").await;
    assert_eq!(ran.code, 1);
    assert!(ran.out.contains("Unauthorized"), "{}", ran.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn people_of_a_tenant_are_called_by_their_names_though_the_directory_inside_has_none_such() {
    let (tenant, world) = (World::start().await, World::start().await);
    for words in [
        &["user", "create", "zoe@contoso.example", "--name", "zoe"][..],
        &["app", "assign", "hr-portal", "zoe@contoso.example"],
    ] {
        let ran = tenant.run(words).await;
        assert_eq!(ran.code, 0, "{}", ran.err);
    }
    let zoe = tenant.id("zoe").await;
    let mut words: Vec<String> =
        ["app", "create", "cloud", "--template", "Entra2Scim"].map(str::to_owned).to_vec();
    words.extend(tenant.as_tenant());
    words.extend(["--set".to_owned(), format!("BaseAddress={}", world.application.base_address())]);
    words.extend(["--set", "SecretToken=t"].map(str::to_owned));
    let ran = world.run(&words.iter().map(String::as_str).collect::<Vec<_>>()).await;
    assert_eq!(ran.code, 0, "{}", ran.err);
    let plan =
        world.run(&["plan", "User", "zoe@contoso.example", "--app", "cloud", "--output", "json"]).await;
    assert_eq!(plan.code, 2, "{}", plan.err);
    assert!(plan.out.contains(&format!("\"sourceAnchor\": \"{zoe}\"")), "{}", plan.out);
    let ran = world.run(&["provision", "User", "zoe@contoso.example", "--app", "cloud"]).await;
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert_eq!(world.accounts(), ["zoe@contoso.example"]);
    let ran = world.run(&["provision", "User", "nobody@contoso.example", "--app", "cloud"]).await;
    assert_eq!(ran.code, 1, "{}", ran.out);
    assert!(ran.err.contains("knows no user 'nobody@contoso.example'"), "{}", ran.err);
    // A tenant that refuses has said nothing of her.
    let ran = world.run(&["secret", "set", "--app", "cloud", "ClientSecret=wrong"]).await;
    assert_eq!(ran.code, 0, "{}", ran.err);
    let ran = world.run(&["provision", "User", "zoe@contoso.example", "--app", "cloud"]).await;
    assert_eq!(ran.code, 1, "{}", ran.out);
    assert!(!ran.err.contains("knows no"), "{}", ran.err);
    assert!(ran.err.contains("cannot tell who 'zoe@contoso.example' is: "), "{}", ran.err);
    assert!(ran.err.contains("gave no token"), "{}", ran.err);
}
