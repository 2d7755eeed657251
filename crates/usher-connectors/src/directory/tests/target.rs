//! The directory inside as a target: what is written, refused, found and shown beforehand.

use expect_test::expect;
use jiff::Timestamp;
use serde_json::{Value as Json, json};
use usher_core::ports::{Connector, ConnectorErrorKind, GetRequest};
use usher_core::{Anchor, AttributeChange, Change, EntryKind, Operation, OperationKind};
use usher_expr::Value;
use usher_testkit::suites::connector::{add, change};

use super::{check, tenant};

#[tokio::test]
async fn created_user_has_what_graph_demands() {
    let (_, properties) = tenant()
        .await
        .made(vec![
            add("telephoneNumber", "+41 9"),
            add("mobile", "+41 8"),
            add("extensionAttribute3", "three"),
            add("showInAddressList", "True"),
            add("employeeHireDate", "2024-02-01"),
            add("passwordProfile.password", "secret"),
            add("OnPremisesObjectIdentifier", "guid"),
            add("extension_abc_ShoeSize", 43),
        ])
        .await
        .expect("it is made");
    check(
        serde_json::to_string_pretty(&properties).expect("it is JSON"),
        expect![[r#"
            {
              "userPrincipalName": "cleo@contoso.example",
              "displayName": "Cleo",
              "businessPhones": [
                "+41 9"
              ],
              "mobilePhone": "+41 8",
              "onPremisesExtensionAttributes": {
                "extensionAttribute3": "three"
              },
              "showInAddressList": true,
              "employeeHireDate": "2024-02-01T00:00:00Z",
              "onPremisesObjectIdentifier": "guid",
              "extension_abc_ShoeSize": 43,
              "accountEnabled": true,
              "mailNickname": "cleo"
            }"#]],
    );
}

#[tokio::test]
async fn created_group_is_a_security_group() {
    let tenant = tenant().await;
    let written =
        tenant.write(OperationKind::Create, "Group", None, vec![add("displayName", "All Staff")]).await;
    let entry = tenant.entry(EntryKind::Group, written.expect("it is made").anchor.as_str()).await;
    check(
        Json::Object(entry.properties),
        expect![[
            r#"{"displayName":"All Staff","mailNickname":"AllStaff","mailEnabled":false,"securityEnabled":true,"groupTypes":[]}"#
        ]],
    );
}

#[tokio::test]
async fn what_cannot_be_taken_is_left_out_and_named() {
    let tenant = tenant().await;
    let changes = vec![
        add("thumbnailPhoto", "x"),
        add("IsSoftDeleted", "True"),
        add("objectId", "x"),
        AttributeChange {
            attribute: "members".into(),
            change: Change::Add(vec![Value::Reference("bob".into())]),
            is_reference: true,
            is_multivalued: true,
        },
        add("jobTitle", "Chief"),
    ];
    let written =
        tenant.write(OperationKind::Update, "User", Some("adele"), changes).await.expect("it is written");
    let left_out: Vec<String> =
        written.left_out.iter().map(|(name, why)| format!("{name}: {why}\n")).collect();
    check(
        left_out.concat(),
        expect![[r#"
            thumbnailPhoto: the directory inside has no place for it
            IsSoftDeleted: it is read-only
            objectId: it is read-only
            members: a user has no members
        "#]],
    );
    assert_eq!(tenant.entry(EntryKind::User, "adele").await.text("jobTitle"), Some("Chief"));
}

#[tokio::test]
async fn refused_values_are_named_and_nothing_is_written() {
    let tenant = tenant().await;
    let before = tenant.entry(EntryKind::User, "adele").await;
    let manager = |id: &str| AttributeChange {
        attribute: "manager".into(),
        change: Change::Replace(vec![Value::Reference(id.into())]),
        is_reference: true,
        is_multivalued: false,
    };
    let clear = |name: &str| change(name, Change::Remove(Vec::new()));
    let cases = [
        add("accountEnabled", "perhaps"),
        add("employeeHireDate", "soon"),
        change("userPrincipalName", Change::Replace(vec![Value::from("nobody")])),
        change("userPrincipalName", Change::Replace(vec![Value::from("zoë@contoso.example")])),
        change("userPrincipalName", Change::Replace(vec![Value::from("bob@contoso.example")])),
        change("mobile", Change::Replace(vec![Value::from("1"), Value::from("2")])),
        clear("displayName"),
        manager("adele"),
        manager("nobody"),
    ];
    let mut said = String::new();
    for case in cases {
        let changes = vec![add("jobTitle", "Chief"), case];
        let error = tenant
            .write(OperationKind::Update, "User", Some("adele"), changes)
            .await
            .expect_err("it is refused");
        let attribute = error.attribute.clone().unwrap_or_default();
        said.push_str(&format!("{:?} {} {attribute}: {error}\n", error.kind, error.code));
    }
    assert_eq!(tenant.entry(EntryKind::User, "adele").await, before);
    check(
        said,
        expect![[r#"
            Rejected SchemaPropertyCanOnlyAcceptValue accountEnabled: accountEnabled takes True or False, not text
            Rejected SchemaPropertyCanOnlyAcceptValue employeeHireDate: employeeHireDate takes a date and time (ISO 8601), not text
            Rejected SchemaPropertyCanOnlyAcceptValue userPrincipalName: 'nobody' is no user principal name: it takes up to 64 of A-Z a-z 0-9 ' . - _ ! # ^ ~, then @, then a domain of up to 48
            Rejected SchemaPropertyCanOnlyAcceptValue userPrincipalName: 'zoë@contoso.example' is no user principal name: it takes up to 64 of A-Z a-z 0-9 ' . - _ ! # ^ ~, then @, then a domain of up to 48
            AlreadyExists EntryConflict userPrincipalName: another user has the same value for property userPrincipalName
            Rejected SchemaPropertyCanOnlyAcceptValue mobile: mobile takes one value, not 2
            Rejected SchemaPropertyCanOnlyAcceptValue displayName: displayName cannot be cleared
            Rejected SchemaPropertyCanOnlyAcceptValue manager: 'adele' cannot refer to itself as manager
            Rejected SchemaPropertyCanOnlyAcceptValue manager: manager refers to 'nobody', which is not there
        "#]],
    );
}

#[tokio::test]
async fn lists_are_added_to_and_taken_from() {
    let tenant = tenant().await;
    let list = |change| AttributeChange {
        attribute: "proxyAddresses".into(),
        change,
        is_reference: false,
        is_multivalued: true,
    };
    let steps = [
        Change::Add(vec![Value::from("smtp:b@contoso.example"), Value::from("SMTP:A@contoso.example")]),
        Change::Remove(vec![Value::from("SMTP:adele@contoso.example")]),
        Change::Replace(vec![Value::from("x")]),
        Change::Remove(Vec::new()),
    ];
    let mut said = String::new();
    for step in steps {
        tenant
            .write(OperationKind::Update, "User", Some("adele"), vec![list(step)])
            .await
            .expect("it is written");
        let entry = tenant.entry(EntryKind::User, "adele").await;
        said.push_str(&format!("{:?}\n", entry.properties.get("proxyAddresses").map(Json::to_string)));
    }
    check(
        said,
        expect![[r#"
            Some("[\"SMTP:adele@contoso.example\",\"smtp:a@contoso.example\",\"smtp:b@contoso.example\"]")
            Some("[\"smtp:a@contoso.example\",\"smtp:b@contoso.example\"]")
            Some("[\"x\"]")
            None
        "#]],
    );
}

#[tokio::test]
async fn disabling_is_an_update_and_deleting_keeps_the_entry_in_the_bin() {
    let tenant = tenant().await;
    let off = change("accountEnabled", Change::Replace(vec![Value::Boolean(false)]));
    tenant.write(OperationKind::Update, "User", Some("adele"), vec![off]).await.expect("it is written");
    let entry = tenant.entry(EntryKind::User, "adele").await;
    assert_eq!((entry.properties.get("accountEnabled"), entry.deleted_at), (Some(&Json::Bool(false)), None));
    tenant.write(OperationKind::Delete, "User", Some("adele"), Vec::new()).await.expect("it is deleted");
    let entry = tenant.entry(EntryKind::User, "adele").await;
    assert_eq!(entry.deleted_at.map(Timestamp::as_second), Some(1_700_000_000));
    assert_eq!(entry.text("displayName"), Some("Adele"));
}

#[tokio::test]
async fn members_of_a_dynamic_group_follow_its_rule() {
    let tenant = tenant().await;
    tenant
        .put(EntryKind::Group, "all", json!({"displayName": "All", "groupTypes": ["DynamicMembership"]}))
        .await;
    let members = AttributeChange {
        attribute: "members".into(),
        change: Change::Add(vec![Value::Reference("adele".into())]),
        is_reference: true,
        is_multivalued: true,
    };
    let error = tenant
        .write(OperationKind::Update, "Group", Some("all"), vec![members])
        .await
        .expect_err("it is refused");
    assert_eq!(error.kind, ConnectorErrorKind::Rejected);
}

#[tokio::test]
async fn objects_are_found_by_any_attribute_that_is_kept() {
    let tenant = tenant().await;
    for (attribute, value) in [
        ("objectId", "ADELE"),
        ("userPrincipalName", "Adele@contoso.example"),
        ("mobile", "+41 1"),
        ("telephoneNumber", "+41 2"),
        ("extensionAttribute7", "SEVEN"),
        ("proxyAddresses", "smtp:A@contoso.example"),
        ("accountEnabled", "true"),
        ("employeeHireDate", "2024-01-15"),
        ("manager", "bob"),
    ] {
        assert_eq!(tenant.found(attribute, value).await, ["adele"], "{attribute}");
    }
    assert_eq!(tenant.found("extension_abc_shoeSize", 42).await, ["adele"]);
    assert!(tenant.found("displayName", "").await.is_empty(), "nobody is found by nothing");
    tenant.put_into_bin(EntryKind::User, "adele").await;
    assert!(tenant.found("mobile", "+41 1").await.is_empty(), "what is in the bin is not found");
}

#[tokio::test]
async fn search_goes_through_all_pages() {
    let tenant = tenant().await;
    for number in 0..1_100 {
        tenant
            .put(EntryKind::User, &format!("n-{number:04}"), json!({"businessPhones": [number.to_string()]}))
            .await;
    }
    assert_eq!(tenant.found("telephoneNumber", "1099").await, ["n-1099"]);
}

#[tokio::test]
async fn target_is_read_with_its_names_as_they_are() {
    let tenant = tenant().await;
    let guest = json!({"userPrincipalName": "cleo_home.example#EXT#@contoso.example", "displayName": "Cleo"});
    tenant.put(EntryKind::User, "cleo", guest).await;
    let request = GetRequest {
        object_type: "User".into(),
        anchor: Anchor::new("cleo"),
        attributes: vec!["userPrincipalName".into()],
    };
    let object = tenant.connector.get(&request).await.expect("it reads").expect("it is there");
    let name = object.attributes.value("userPrincipalName").map(Value::to_text);
    assert_eq!(name.as_deref(), Some("cleo_home.example#EXT#@contoso.example"));
}

#[tokio::test]
async fn preview_shows_graph_requests_without_the_password() {
    let reference = |attribute: &str, change, is_multivalued| AttributeChange {
        attribute: attribute.into(),
        change,
        is_reference: true,
        is_multivalued,
    };
    let bob = || vec![Value::Reference("bob".into())];
    let operations = [
        (
            OperationKind::Create,
            "User",
            None,
            vec![
                add("userPrincipalName", "cleo@contoso.example"),
                add("telephoneNumber", "1"),
                add("extensionAttribute1", "one"),
                add("passwordProfile.password", "secret"),
            ],
        ),
        (OperationKind::Update, "User", None, vec![reference("manager", Change::Add(bob()), false)]),
        (
            OperationKind::Update,
            "User",
            Some("u"),
            vec![
                change("mobile", Change::Remove(Vec::new())),
                reference("manager", Change::Remove(bob()), false),
            ],
        ),
        (
            OperationKind::Update,
            "Group",
            Some("g"),
            vec![
                reference("members", Change::Add(bob()), true),
                reference("members", Change::Remove(vec![Value::Reference("ann".into())]), true),
            ],
        ),
        (OperationKind::Delete, "User", Some("u"), Vec::new()),
    ];
    let tenant = tenant().await;
    let mut said = String::new();
    for (kind, object_type, anchor, changes) in operations {
        let operation =
            Operation { kind, object_type: object_type.into(), anchor: anchor.map(Anchor::new), changes };
        for request in tenant.connector.preview(&operation) {
            let body = request.body.map(|body| body.to_string()).unwrap_or_default();
            said.push_str(format!("{} {} {body}", request.method, request.path).trim_end());
            said.push('\n');
        }
    }
    check(
        said,
        expect![[r#"
        POST /users {"userPrincipalName":"cleo@contoso.example","businessPhones":["1"],"onPremisesExtensionAttributes":{"extensionAttribute1":"one"},"passwordProfile":{"password":"[Redact]"}}
        PUT /users/(id of the new object)/manager/$ref {"@odata.id":"directoryObjects/bob"}
        PATCH /users/u {"mobilePhone":null}
        DELETE /users/u/manager/$ref
        POST /groups/g/members/$ref {"@odata.id":"directoryObjects/bob"}
        DELETE /groups/g/members/ann/$ref
        DELETE /users/u
    "#]],
    );
}
