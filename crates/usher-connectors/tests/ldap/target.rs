//! Accounts and groups in Active Directory and in OpenLDAP: made, changed, moved, switched off, deleted.

use std::fmt::Write as _;

use expect_test::expect;
use usher_core::ports::{Connector, ConnectorErrorKind};
use usher_core::{Anchor, Change, OperationKind};
use usher_testkit::servers::{Samba, Slapd, SlapdOptions};

use crate::support::*;

const PLACES: &str = "dn: OU=People,DC=corp,DC=example\nobjectClass: organizationalUnit\n\n\
    dn: OU=Dallas,OU=People,DC=corp,DC=example\nobjectClass: organizationalUnit\n\n\
    dn: OU=Leavers,DC=corp,DC=example\nobjectClass: organizationalUnit\n";
const PEOPLE: &str = "OU=People,DC=corp,DC=example";
const DALLAS: &str = "OU=Dallas,OU=People,DC=corp,DC=example";
const LEAVERS: &str = "OU=Leavers,DC=corp,DC=example";
const TOLD: &[&str] = &[
    "distinguishedName",
    "sAMAccountName",
    "userPrincipalName",
    "accountDisabled",
    "userAccountControl",
    "employeeID",
    "title",
    "proxyAddresses",
];

async fn corp() -> Samba {
    let samba = Samba::start().await.unwrap();
    samba.change(PLACES).unwrap();
    samba
}

fn person(account: &str, name: &str) -> Vec<usher_core::AttributeChange> {
    vec![
        set("cn", name),
        set("sAMAccountName", account),
        set("userPrincipalName", &format!("{account}@corp.example")),
        set("parentDistinguishedName", PEOPLE),
        set("accountDisabled", "False"),
    ]
}

async fn make(connector: &dyn Connector, account: &str, name: &str) -> Anchor {
    create(connector, "user", person(account, name)).await.unwrap()
}

#[tokio::test]
async fn an_account_lives_in_active_directory() {
    let samba = corp().await;
    let connector = domain(&samba, &[]);
    let mut wanted = person("smith.j", "Smith, John + Co");
    wanted.extend([
        set("employeeID", "1001"),
        set("unicodePwd", "Fir5t-of-all!"),
        several("proxyAddresses", Change::Add, &["SMTP:john@corp.example", "smtp:j@corp.example"]),
    ]);
    let john = create(&*connector, "user", wanted).await.unwrap();
    expect![[r#"
        distinguishedName = CN=Smith\, John \+ Co,OU=People,DC=corp,DC=example
        sAMAccountName = smith.j
        userPrincipalName = smith.j@corp.example
        accountDisabled = False
        userAccountControl = 512
        employeeID = 1001
        proxyAddresses = smtp:j@corp.example, SMTP:john@corp.example
    "#]]
    .assert_eq(&sorted(shown(&*connector, "user", &john, TOLD).await));
    // The account is complete: its owner can sign in.
    let own = [("UserName", "smith.j@corp.example"), ("Password", "Fir5t-of-all!")];
    let probe = probe("user", "sAMAccountName", "smith.j");
    domain(&samba, &own).check(&probe).await.unwrap();

    let changes = vec![
        set("title", "Clerk"),
        set("cn", "Smith, John"),
        set("parentDistinguishedName", DALLAS),
        several("proxyAddresses", Change::Remove, &["smtp:j@corp.example"]),
    ];
    for _ in 0..2 {
        let written = update(&*connector, "user", &john, changes.clone()).await.unwrap();
        assert_eq!((&written.anchor, written.left_out.len()), (&john, 0));
    }
    update(&*connector, "user", &john, vec![set("userAccountControl", "66048")]).await.unwrap();
    for _ in 0..2 {
        update(&*connector, "user", &john, vec![set("accountDisabled", "True"), clear("employeeID")])
            .await
            .unwrap();
    }
    expect![[r#"
        distinguishedName = CN=Smith\, John,OU=Dallas,OU=People,DC=corp,DC=example
        sAMAccountName = smith.j
        userPrincipalName = smith.j@corp.example
        accountDisabled = True
        userAccountControl = 66050
        title = Clerk
        proxyAddresses = SMTP:john@corp.example
    "#]]
    .assert_eq(&sorted(shown(&*connector, "user", &john, TOLD).await));
    let refused = domain(&samba, &own).check(&probe).await.unwrap_err();
    assert_eq!(refused.kind, ConnectorErrorKind::Unauthorised);
    assert!(refused.message.contains("the account is disabled"), "{}", refused.message);

    update(&*connector, "user", &john, vec![set("accountDisabled", "False")]).await.unwrap();
    assert_eq!(
        shown(&*connector, "user", &john, &["userAccountControl"]).await,
        "userAccountControl = 66048\n"
    );
    delete(&*connector, "user", &john).await.unwrap();
    assert_eq!(shown(&*connector, "user", &john, TOLD).await, "gone");
}

#[tokio::test]
async fn an_account_without_a_mapped_state_stays_switched_off() {
    let samba = corp().await;
    let connector = domain(&samba, &[("SyncAgentADContainer", PEOPLE)]);
    let eve =
        create(&*connector, "user", vec![set("cn", "Eve"), set("sAMAccountName", "eve")]).await.unwrap();
    let told = shown(&*connector, "user", &eve, &["userAccountControl", "distinguishedName"]).await;
    assert_eq!(told, format!("userAccountControl = 514\ndistinguishedName = CN=Eve,{PEOPLE}\n"));
}

#[tokio::test]
async fn taken_names_and_refused_values_are_told_apart() {
    let samba = corp().await;
    let connector = domain(&samba, &[]);
    make(&*connector, "ann", "Ann").await;
    let mut text = String::new();
    for (what, changes) in [
        ("the same name in the container", vec![set("cn", "Ann"), set("sAMAccountName", "ann2")]),
        ("the same account name", vec![set("cn", "Ann Two"), set("sAMAccountName", "ANN")]),
        (
            "the same principal name",
            vec![
                set("cn", "Ann Three"),
                set("sAMAccountName", "ann3"),
                set("userPrincipalName", "ann@corp.example"),
            ],
        ),
        (
            "a container that is not there",
            vec![set("cn", "B"), set("parentDistinguishedName", "OU=Nowhere,DC=corp,DC=example")],
        ),
        ("a malformed container", vec![set("cn", "B"), set("parentDistinguishedName", "Nowhere")]),
        ("no name at all", vec![set("title", "Clerk")]),
        ("a value that is too long", vec![set("cn", "B"), set("employeeID", "12345678901234567")]),
        ("a weak password", vec![set("cn", "B"), set("sAMAccountName", "b"), set("unicodePwd", "weak")]),
        (
            "an attribute that is not there",
            vec![set("cn", "B"), set("sAMAccountName", "b"), set("shoeSize", "42")],
        ),
        ("no number", vec![set("cn", "B"), set("sAMAccountName", "b"), set("countryCode", "many")]),
    ] {
        let mut changes = changes;
        if !changes.iter().any(|change| change.attribute == "parentDistinguishedName") {
            changes.push(set("parentDistinguishedName", PEOPLE));
        }
        let _ = match create(&*connector, "user", changes).await {
            Ok(_) => writeln!(text, "{what}: made"),
            Err(error) => writeln!(text, "{what}: {:?} {}: {}", error.kind, error.code, error.message),
        };
    }
    expect![[r#"
        the same name in the container: AlreadyExists Conflict: make CN=Ann,OU=People,DC=corp,DC=example: entryAlreadyExists: the name or a unique value is taken (68)
        the same account name: AlreadyExists Conflict: make CN=Ann Two,OU=People,DC=corp,DC=example: entryAlreadyExists: the name or a unique value is taken (68)
        the same principal name: AlreadyExists Conflict: make CN=Ann Three,OU=People,DC=corp,DC=example: constraintViolation: another entry has this value, which must be unique (19)
        a container that is not there: Rejected EntryNotFound: make CN=B,OU=Nowhere,DC=corp,DC=example: noSuchObject: the entry, its container or an entry it refers to is not there (32): the container is not there
        a malformed container: Rejected AttributeValidationFailed: the value of parentDistinguishedName cannot be written: 'Nowhere' is no distinguished name: an attribute with '=' is missing at character 1
        no name at all: Rejected AttributeValidationFailed: a new user needs a name; map cn
        a value that is too long: Rejected AttributeValidationFailed: make CN=B,OU=People,DC=corp,DC=example: invalidAttributeSyntax: the value does not have the form that the attribute needs; empty texts are not allowed (21)
        a weak password: Rejected AttributeValidationFailed: make CN=B,OU=People,DC=corp,DC=example: the password is against the domain's policy (19)
        an attribute that is not there: Rejected AttributeValidationFailed: make CN=B,OU=People,DC=corp,DC=example: noSuchAttribute: the directory does not know the attribute, or the value is not there (16)
        no number: Rejected AttributeValidationFailed: the value of countryCode cannot be written: a whole number is needed
    "#]].assert_eq(&text);
    assert_eq!(
        samba.search("(cn=B)", &["1.1"]).unwrap().matches("dn: ").count(),
        0,
        "nothing is left behind"
    );
}

#[tokio::test]
async fn leavers_move_to_their_container_and_come_back() {
    let samba = corp().await;
    let connector = domain(&samba, &[("LeaversContainer", LEAVERS)]);
    let first = make(&*connector, "ann", "Ann").await;
    for _ in 0..2 {
        delete(&*connector, "user", &first).await.unwrap();
    }
    let second = make(&*connector, "ann.two", "Ann").await;
    delete(&*connector, "user", &second).await.unwrap();
    let told = &["distinguishedName", "userAccountControl"];
    assert_eq!(
        shown(&*connector, "user", &first, told).await,
        format!("distinguishedName = CN=Ann,{LEAVERS}\nuserAccountControl = 514\n")
    );
    let id = &second.as_str()[..8];
    assert_eq!(
        shown(&*connector, "user", &second, told).await,
        format!("distinguishedName = CN=Ann ({id}),{LEAVERS}\nuserAccountControl = 514\n")
    );
    let back = vec![set("parentDistinguishedName", PEOPLE), set("accountDisabled", "False")];
    update(&*connector, "user", &first, back).await.unwrap();
    assert_eq!(
        shown(&*connector, "user", &first, told).await,
        format!("distinguishedName = CN=Ann,{PEOPLE}\nuserAccountControl = 512\n")
    );
    let group = create(&*connector, "group", vec![set("cn", "Staff")]).await.unwrap();
    delete(&*connector, "group", &group).await.unwrap();
    assert_eq!(
        shown(&*connector, "group", &group, &["cn"]).await,
        "gone",
        "groups do not leave, they are deleted"
    );
}

#[tokio::test]
async fn what_references_cannot_point_to_is_left_out_and_the_rest_is_written() {
    let samba = corp().await;
    let connector = domain(&samba, &[]);
    let (ann, bob) = (make(&*connector, "ann", "Ann").await, make(&*connector, "bob", "Bob").await);
    let nobody = Anchor::new("8f1f0d0e-0000-4000-8000-00000000dead");
    let manager = refer("manager", Change::Replace, &[&nobody], false);
    let written = update(&*connector, "user", &ann, vec![manager, set("title", "Clerk")]).await.unwrap();
    let [(attribute, reason)] = &written.left_out[..] else { panic!("{:?}", written.left_out) };
    assert_eq!(attribute, "manager");
    assert!(reason.contains("8f1f0d0e"), "{reason}");
    assert_eq!(shown(&*connector, "user", &ann, &["title", "manager"]).await, "title = Clerk\n");

    let mut wanted = vec![set("cn", "Staff"), set("isSecurityGroup", "True"), set("UniversalScope", "True")];
    wanted.push(refer("member", Change::Add, &[&ann, &nobody, &bob], true));
    let made = connector.write(&operation(OperationKind::Create, "group", None, wanted)).await.unwrap();
    assert_eq!(made.left_out.len(), 1, "{:?}", made.left_out);
    let told = shown(&*connector, "group", &made.anchor, &["groupType", "member"]).await;
    assert!(told.starts_with("groupType = -2147483640\n"), "{told}");
    assert!(told.contains(ann.as_str()) && told.contains(bob.as_str()), "{told}");
}

#[tokio::test]
async fn a_group_takes_many_members_in_blocks() {
    const PEOPLE: usize = 50_000;
    let slapd = Slapd::start(&SlapdOptions { ldif: many(PEOPLE), ..SlapdOptions::default() }).await.unwrap();
    let settings = [("SyncAgentADContainer", "ou=groups,dc=example,dc=org")];
    let connector = people(&slapd, &settings);
    let anchors: Vec<Anchor> = (0..PEOPLE).map(anchor).collect();
    let all: Vec<&Anchor> = anchors.iter().collect();
    let group = create(&*connector, "groupOfNames", vec![set("cn", "all")]).await.unwrap();
    let added = refer("member", Change::Add, &all, true);
    for _ in 0..2 {
        let written = update(&*connector, "groupOfNames", &group, vec![added.clone()]).await.unwrap();
        assert_eq!(written.left_out, []);
    }
    let members = || slapd.search("(cn=all)", &["member"]).unwrap().matches("member: uid=").count();
    assert_eq!(members(), PEOPLE);
    let removed = refer("member", Change::Remove, &all[10..], true);
    update(&*connector, "groupOfNames", &group, vec![removed]).await.unwrap();
    assert_eq!(members(), 10);
    let told = shown(&*connector, "groupOfNames", &group, &["member"]).await;
    assert_eq!(
        told.split(", ").count(),
        10,
        "the name of nothing, which keeps the group from being empty, is none"
    );
}

/// People whose anchors are known before they are made.
fn many(count: usize) -> String {
    let mut ldif = String::new();
    for number in 0..count {
        let _ = write!(
            ldif,
            "dn: uid=p{number},ou=people,dc=example,dc=org\nobjectClass: inetOrgPerson\nuid: p{number}\n\
             cn: Person {number}\nsn: {number}\nentryUUID: {}\n\n",
            anchor(number)
        );
    }
    ldif
}

fn anchor(number: usize) -> Anchor {
    Anchor::new(format!("00000000-0000-4000-8000-{number:012x}"))
}

/// Values of several come in an order of the server's own.
fn sorted(told: String) -> String {
    told.lines().fold(String::new(), |mut text, line| {
        let (name, values) = line.split_once(" = ").unwrap();
        let mut values: Vec<&str> =
            if name == "proxyAddresses" { values.split(", ").collect() } else { vec![values] };
        values.sort_unstable_by_key(|value| value.to_lowercase());
        let _ = writeln!(text, "{name} = {}", values.join(", "));
        text
    })
}
