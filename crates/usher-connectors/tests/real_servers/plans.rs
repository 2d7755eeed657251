//! What is sent to a real server is what was planned, in both dialects; a form that one refuses is not replaced.

use expect_test::expect;
use usher_core::ports::{Connector, Exchange};
use usher_core::{Anchor, AttributeChange, Change, Operation, OperationKind};
use usher_testkit::servers::{RealServer, Scim2Options};
use usher_testkit::suites::plans::sends_as_planned;

use crate::story::*;
use crate::{FLAG, members, person};

/// Tells of each act the statuses that came back.
struct Acts<'c> {
    connector: &'c dyn Connector,
    text: String,
}

impl Acts<'_> {
    async fn act(
        &mut self,
        kind: OperationKind,
        object_type: &str,
        anchor: Option<&Anchor>,
        changes: Vec<AttributeChange>,
    ) -> Option<Anchor> {
        let operation = Operation { kind, object_type: object_type.into(), anchor: anchor.cloned(), changes };
        let (written, told) = sends_as_planned(self.connector, &operation).await;
        let told: Vec<String> = told.iter().map(line).collect();
        self.text.push_str(&format!("{}\n", told.join(", ")));
        written.ok().map(|written| written.anchor)
    }
}

fn line(one: &Exchange) -> String {
    let status = one.answer.as_ref().map(|answer| answer.status).unwrap_or_default();
    format!("{} {status}", one.request.method)
}

async fn planned(server: &RealServer, flag: &str) -> String {
    let story = Story::on(server, flag);
    let mut acts = Acts { connector: &*story.connector, text: String::new() };
    let (create, update) = (OperationKind::Create, OperationKind::Update);
    let ann = acts.act(create, USER, None, person("ann@b.example", "\u{c4}nn \"a\"")).await;
    let boss = acts.act(create, USER, None, person("boss@b.example", "Bo; b")).await;
    let (ann, boss) = (ann.expect("she is made"), boss.expect("he is made"));
    acts.act(create, USER, None, person("ann@b.example", "Ann")).await;
    for changes in [
        vec![replace("name.givenName", "Anna"), add("title", "Clerk"), add(MOBILE, "+1 425 555 0101")],
        vec![replace(DEPARTMENT, "Retail")],
        vec![manager(&boss)],
        vec![active(false)],
    ] {
        acts.act(update, USER, Some(&ann), changes).await;
    }
    let group = acts.act(create, GROUP, None, vec![add("displayName", "Retail")]).await;
    if let Some(group) = group {
        for change in [Change::Add, Change::Remove] {
            acts.act(update, GROUP, Some(&group), vec![members(change, &[&ann])]).await;
        }
        acts.act(OperationKind::Delete, GROUP, Some(&group), Vec::new()).await;
    }
    acts.act(OperationKind::Delete, USER, Some(&ann), Vec::new()).await;
    acts.text
}

#[tokio::test]
async fn scim2_server_is_sent_what_was_planned() {
    let server = RealServer::scim2_server(&Scim2Options::default()).await.unwrap();
    expect![[r#"
        POST 201
        POST 201
        POST 409
        PATCH 400
        PATCH 204
        PATCH 400
        PATCH 204
        POST 400
        DELETE 204
    "#]]
    .assert_eq(&planned(&server, "").await);
    let server = RealServer::scim2_server(&Scim2Options::default()).await.unwrap();
    expect![[r#"
        POST 201
        POST 201
        POST 409
        PATCH 400
        PATCH 204
        PATCH 400
        PATCH 204
        POST 400
        DELETE 204
    "#]]
    .assert_eq(&planned(&server, FLAG).await);
}

#[tokio::test]
async fn better_auth_is_sent_what_was_planned() {
    let server = RealServer::better_auth().await.unwrap();
    expect![[r#"
        POST 201
        POST 201
        POST 409
        PATCH 200
        PATCH 200
        PATCH 200
        PATCH 200
        POST 201
        PATCH 200
        PATCH 200
        DELETE 204
        DELETE 204
    "#]]
    .assert_eq(&planned(&server, "").await);
    let server = RealServer::better_auth().await.unwrap();
    expect![[r#"
        POST 201
        POST 201
        POST 409
        PATCH 200
        PATCH 200
        PATCH 200
        PATCH 200
        POST 201
        PATCH 200
        PATCH 200
        DELETE 204
        DELETE 204
    "#]]
    .assert_eq(&planned(&server, FLAG).await);
}

#[tokio::test]
async fn django_is_sent_what_was_planned() {
    let server = RealServer::django().await.unwrap();
    expect![[r#"
        POST 201
        POST 201
        POST 409
        PATCH 501
        PATCH 501
        PATCH 501
        PATCH 400
        POST 201
        PATCH 200
        PATCH 200
        DELETE 204
        DELETE 204
    "#]]
    .assert_eq(&planned(&server, "").await);
    let server = RealServer::django().await.unwrap();
    expect![[r#"
        POST 201
        POST 201
        POST 409
        PATCH 501
        PATCH 501
        PATCH 501
        PATCH 200
        POST 201
        PATCH 200
        PATCH 501
        DELETE 204
        DELETE 204
    "#]]
    .assert_eq(&planned(&server, FLAG).await);
}
