//! The SCIM connector against real servers, in both dialects: what works on each, and the known limits as they are.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod plans;
mod story;

use expect_test::{Expect, expect};
use usher_core::Change;
use usher_testkit::servers::{RealServer, Scim2Options};
use usher_testkit::suites::connector::{self, Vocabulary};

use story::*;

/// What the whole life of a few people and a group is like where a server does all that the protocol promises.
const ORDINARY: &str = r#"test connection: done
create the boss: done
create Ann: done
create Ann again: AlreadyExists EntryConflict
match Ann by name in another case: found [ANN]
match Ann by e-mail: found [ANN]
match nobody: found []
update: done
department: done
refused attribute: Rejected SchemaPropertyCanOnlyAcceptValue shoeSize
manager: done
read Ann:
  userName = ann@b.example
  active = True
  displayName = Ann
  name.givenName = Anna
  title = Clerk
  emails[type eq "work"].value = ann@b.example
  phoneNumbers[type eq "mobile"].value = +1 425 555 0101
  urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department = Retail
  urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager = BOSS
disable: done
read Ann:
  active = False
enable: done
read Ann:
  active = True
create a group: done
match the group: found [GROUP]
add members: done
add a member again: done
read the group:
  displayName = Retail
  members = ANN, BOSS
remove a member: done
read the group:
  displayName = Retail
  members = BOSS
rename the group: done
read the group:
  displayName = Sales
delete the group: done
delete Ann: done
delete Ann again: done
read Ann: gone
update Ann: NotFound InvalidAnchor
create Ann anew: done
"#;

/// Lives that life on one server, and compares what was otherwise than ordinary there.
async fn life(server: &RealServer, flag: &str, otherwise: &Expect) {
    let mut story = Story::on(server, flag);
    story.check().await;
    let boss = story.make("create the boss", "BOSS", USER, person("boss@b.example", "Bo")).await;
    let ann = story.make("create Ann", "ANN", USER, person("ann@b.example", "Ann")).await;
    story.make("create Ann again", "-", USER, person("ann@b.example", "Ann")).await;
    story.find("match Ann by name in another case", USER, "userName", "ANN@b.example").await;
    story.find("match Ann by e-mail", USER, WORK_EMAIL, "ann@b.example").await;
    story.find("match nobody", USER, "userName", "nobody@b.example").await;
    let changes =
        vec![replace("name.givenName", "Anna"), add("title", "Clerk"), add(MOBILE, "+1 425 555 0101")];
    story.change("update", USER, &ann, changes).await;
    story.change("department", USER, &ann, vec![replace(DEPARTMENT, "Retail")]).await;
    story.change("refused attribute", USER, &ann, vec![add("shoeSize", "42")]).await;
    story.change("manager", USER, &ann, vec![manager(&boss)]).await;
    story.read("read Ann", USER, &ann, &[&USER_ATTRIBUTES[..], &[MANAGER]].concat()).await;
    story.change("disable", USER, &ann, vec![active(false)]).await;
    story.read("read Ann", USER, &ann, &["active"]).await;
    story.change("enable", USER, &ann, vec![active(true)]).await;
    story.read("read Ann", USER, &ann, &["active"]).await;
    let group = story
        .make("create a group", "GROUP", GROUP, vec![add("displayName", "Retail"), add("externalId", "8aa1")])
        .await;
    story.find("match the group", GROUP, "displayName", "Retail").await;
    story.change("add members", GROUP, &group, vec![members(Change::Add, &[&ann, &boss])]).await;
    story.change("add a member again", GROUP, &group, vec![members(Change::Add, &[&ann])]).await;
    story.read("read the group", GROUP, &group, &["displayName", "members"]).await;
    story.change("remove a member", GROUP, &group, vec![members(Change::Remove, &[&ann])]).await;
    story.read("read the group", GROUP, &group, &["displayName", "members"]).await;
    story.change("rename the group", GROUP, &group, vec![replace("displayName", "Sales")]).await;
    story.read("read the group", GROUP, &group, &["displayName"]).await;
    story.delete("delete the group", GROUP, &group).await;
    story.delete("delete Ann", USER, &ann).await;
    story.delete("delete Ann again", USER, &ann).await;
    story.read("read Ann", USER, &ann, &["userName"]).await;
    story.change("update Ann", USER, &ann, vec![replace("title", "Boss")]).await;
    story.make("create Ann anew", "-", USER, person("ann@b.example", "Ann")).await;
    let (ordinary, here) = (acts(ORDINARY), acts(&story.text));
    assert_eq!(ordinary.len(), here.len(), "{}", story.text);
    let differing = ordinary.iter().zip(&here).filter(|(ordinary, here)| ordinary != here);
    otherwise.assert_eq(&differing.map(|(_, here)| here.as_str()).collect::<String>());
}

const FLAG: &str = "?aadOptscim062020";

#[tokio::test]
async fn scim2_server_in_the_older_dialect() {
    life(&RealServer::scim2_server(&Scim2Options::default()).await.unwrap(), "", &expect![""]).await;
}

#[tokio::test]
async fn scim2_server_with_the_flag() {
    life(&RealServer::scim2_server(&Scim2Options::default()).await.unwrap(), FLAG, &expect![""]).await;
}

#[tokio::test]
async fn scim2_server_without_patch_gets_whole_resources() {
    let options = Scim2Options { is_without_patch: true, ..Scim2Options::default() };
    life(&RealServer::scim2_server(&options).await.unwrap(), "", &expect![""]).await;
}

#[tokio::test]
async fn better_auth_in_the_older_dialect() {
    life(
        &RealServer::better_auth().await.unwrap(),
        "",
        &expect![[r#"
            create Ann anew: AlreadyExists EntryConflict
        "#]],
    )
    .await;
}

#[tokio::test]
async fn better_auth_with_the_flag() {
    life(
        &RealServer::better_auth().await.unwrap(),
        FLAG,
        &expect![[r#"
            create Ann anew: AlreadyExists EntryConflict
        "#]],
    )
    .await;
}

#[tokio::test]
async fn django_in_the_older_dialect() {
    life(
        &RealServer::django().await.unwrap(),
        "",
        &expect![[r#"
            match Ann by e-mail: found []
            update:
              left out title
              left out phoneNumbers[type eq "mobile"].value
            department: Unsupported NotImplemented urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department
            refused attribute: Unsupported NotImplemented shoeSize
            manager:
              left out urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager
            read Ann:
              userName = ann@b.example
              active = True
              displayName = Anna Lee
              name.givenName = Anna
            disable: Rejected SchemaPropertyCanOnlyAcceptValue active
            read Ann:
              active = True
            enable: Rejected SchemaPropertyCanOnlyAcceptValue active
            match the group: found []
        "#]],
    )
    .await;
}

#[tokio::test]
async fn django_with_the_flag() {
    life(
        &RealServer::django().await.unwrap(),
        FLAG,
        &expect![[r#"
            match Ann by e-mail: found []
            update:
              left out title
              left out phoneNumbers[type eq "mobile"].value
            department: Unsupported NotImplemented urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department
            refused attribute: Unsupported NotImplemented shoeSize
            manager:
              left out urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager
            read Ann:
              userName = ann@b.example
              active = True
              displayName = Anna Lee
              name.givenName = Anna
            match the group: found []
            remove a member:
              left out members
            read the group:
              displayName = Retail
              members = ANN, BOSS
        "#]],
    )
    .await;
}

#[tokio::test]
async fn the_contract_is_kept_towards_the_server_that_is_complete() {
    for flag in ["", FLAG] {
        for options in [
            Scim2Options::default(),
            Scim2Options { is_without_patch: true, ..Scim2Options::default() },
            Scim2Options { page_limit: Some(1), ..Scim2Options::default() },
        ] {
            let server = RealServer::scim2_server(&options).await.unwrap();
            connector::run(&*Story::on(&server, flag).connector, Vocabulary::SCIM, "").await;
        }
    }
}

#[tokio::test]
async fn a_token_that_is_wrong_is_refused_by_each() {
    for mut server in [
        RealServer::scim2_server(&Scim2Options::default()).await.unwrap(),
        RealServer::better_auth().await.unwrap(),
        RealServer::django().await.unwrap(),
    ] {
        server.token = "another token than the server's own, of good length".to_owned();
        let mut story = Story::on(&server, "");
        story.check().await;
        assert_eq!(story.text, "test connection: Unauthorised Unauthorized\n", "{}", server.base_address);
    }
}

#[tokio::test]
async fn short_pages_do_not_hide_that_a_match_is_not_unique() {
    let options = Scim2Options { page_limit: Some(1), ..Scim2Options::default() };
    let server = RealServer::scim2_server(&options).await.unwrap();
    let mut story = Story::on(&server, "");
    for (name, user_name) in [("ANN", "ann@b.example"), ("BOB", "bob@b.example")] {
        let changes = vec![add("userName", user_name), add("displayName", "Lee")];
        story.make("create", name, USER, changes).await;
    }
    story.find("match", USER, "displayName", "Lee").await;
    let last = story.text.lines().last().unwrap();
    assert!(last.contains("ANN") && last.contains("BOB"), "{last}");
}

#[tokio::test]
async fn the_strict_server_is_discovered() {
    let server = RealServer::scim2_server(&Scim2Options::default()).await.unwrap();
    let found = Story::on(&server, "").connector.discover().await.unwrap();
    let user = found.object(USER).unwrap();
    for name in ["id", "externalId", "userName", "active", "name.givenName", WORK_EMAIL, DEPARTMENT, MANAGER]
    {
        assert!(user.attribute(name).is_some(), "{name}");
    }
    assert!(found.object(GROUP).unwrap().attribute("members").unwrap().multivalued);
}
