//! Workday on the command line: traps are told where somebody looks, and once.

use std::net::{Ipv4Addr, SocketAddr};

use usher_sandbox::workday::{Workday, WorkdayOptions};

use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn the_trap_of_versions_is_told_by_the_test_of_a_job() {
    let world = World::start().await;
    let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let workday = Workday::start(WorkdayOptions::new("acme", "secret"), anywhere).await.expect("it listens");
    let password = world.file("password.txt", "secret\n");
    let create = |name: &str, template: &str| {
        let words = [
            "app".to_owned(),
            "create".to_owned(),
            name.to_owned(),
            "--template".to_owned(),
            template.to_owned(),
            "--set".to_owned(),
            format!("BaseAddress={}", workday.address("v43.0")),
            "--set".to_owned(),
            format!("UserName={}", workday.user()),
            "--set".to_owned(),
            format!("Password=@{}", password.display()),
        ];
        words.to_vec()
    };
    for (name, template, expected) in [
        ("old", "Workday2AADv21", "warning: the address names v43.0, but "),
        ("new", "Workday2AAD", "the connection works\n"),
    ] {
        let words = create(name, template);
        let made = world.run(&words.iter().map(String::as_str).collect::<Vec<_>>()).await;
        assert_eq!(made.code, 0, "{}", made.err);
        let tested = world.run(&["job", "test", "--app", name]).await;
        assert_eq!(tested.code, 0, "{}", tested.err);
        assert!(tested.err.starts_with(expected), "{}", tested.err);
        assert!(tested.err.ends_with("the connection works\n"), "{}", tested.err);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_an_xpath_is_said_once() {
    let world = World::start().await;
    let attributes = world.file("attributes.json", r#"{"Name": "wd:Worker["}"#);
    let answer = world.file("answer.xml", "<x/>");
    let (answer, attributes) = (answer.display().to_string(), attributes.display().to_string());
    let ran = world.run(&["workday", "attributes", &answer, "--attributes", &attributes]).await;
    assert_ne!(ran.code, 0);
    assert_eq!(ran.err.matches("at character").count(), 1, "{}", ran.err);
    assert!(ran.err.contains("the XPath of the attribute 'Name' cannot be used"), "{}", ran.err);
}
