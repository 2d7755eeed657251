//! Operations in, requests out: every published form of both dialects.

use std::sync::Arc;

use expect_test::{Expect, expect};
use usher_core::{Operation, OperationKind};

use super::super::connector::preview;
use super::*;

const DEPARTMENT: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department";
const EMPLOYEE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber";
const MANAGER: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager";
const WORK_EMAIL: &str = r#"emails[type eq "work"].value"#;

fn plain(attribute: &str, change: Change) -> AttributeChange {
    AttributeChange { attribute: attribute.into(), change, is_reference: false, is_multivalued: false }
}

fn add(attribute: &str, value: impl Into<Value>) -> AttributeChange {
    plain(attribute, Change::Add(vec![value.into()]))
}

fn replace(attribute: &str, value: impl Into<Value>) -> AttributeChange {
    plain(attribute, Change::Replace(vec![value.into()]))
}

fn clear(attribute: &str) -> AttributeChange {
    plain(attribute, Change::Remove(Vec::new()))
}

fn reference(attribute: &str, change: Change, is_multivalued: bool) -> AttributeChange {
    AttributeChange { is_reference: true, is_multivalued, ..plain(attribute, change) }
}

fn ids(ids: &[&str]) -> Vec<Value> {
    ids.iter().map(|id| Value::Reference((*id).into())).collect()
}

fn rfc() -> Shape {
    Shape { dialect: Dialect::Rfc7644, group_by_value: true, ..Shape::default() }
}

fn operation(kind: OperationKind, object_type: &str, changes: Vec<AttributeChange>) -> Operation {
    let anchor = (kind != OperationKind::Create).then(|| Anchor::new("7d1"));
    Operation { kind, object_type: object_type.into(), anchor, changes }
}

fn shown(requests: &[PreparedRequest]) -> String {
    requests
        .iter()
        .map(|request| match &request.body {
            Some(body) => format!("{} {}\n{body:#}\n", request.method, request.path),
            None => format!("{} {}\n", request.method, request.path),
        })
        .collect()
}

fn check(shape: Shape, operation: Operation, expected: &Expect) {
    let text = match preview(&shape, &operation) {
        Ok(requests) => shown(&requests),
        Err(error) => format!("{:?} {}: {error}\n", error.kind, error.code),
    };
    expected.assert_eq(&text);
}

/// The operations of the PATCH for these changes, one a line.
fn check_patch(shape: Shape, object_type: &str, changes: Vec<AttributeChange>, expected: &Expect) {
    let operation = operation(OperationKind::Update, object_type, changes);
    let mut text = String::new();
    for request in preview(&shape, &operation).unwrap() {
        assert_eq!(request.body.as_ref().unwrap()["schemas"], json!([PATCH]));
        text.push_str(&format!("{} {}\n", request.method, request.path));
        for operation in operations(&request) {
            text.push_str(&format!("  {operation}\n"));
        }
    }
    expected.assert_eq(&text);
}

fn person() -> Vec<AttributeChange> {
    vec![
        add("externalId", "adele.v"),
        add("userName", "adele.v@contoso.example"),
        add("active", true),
        add("displayName", "Adele Vance"),
        add(WORK_EMAIL, "adele.v@contoso.example"),
        add(r#"addresses[type eq "work"].formatted"#, "18/2111"),
        add(r#"addresses[type eq "work"].postalCode"#, "98052"),
        add(r#"phoneNumbers[type eq "mobile"].value"#, "+1 425 555 0101"),
        add("name.givenName", "Adele"),
        add("name.familyName", "Vance"),
        add(DEPARTMENT, "Retail"),
        add("urn:ietf:params:scim:schemas:extension:Contoso:2.0:User:badge", 17),
    ]
}

#[test]
fn create_of_a_user_is_one_post_in_the_published_form() {
    check(
        Shape::default(),
        operation(OperationKind::Create, ENTERPRISE, person()),
        &expect![],
    );
}

#[test]
fn create_is_the_same_in_both_dialects() {
    let request = |shape: Shape| create(&shape, Kind::User, &person()).unwrap();
    assert_eq!(request(Shape::default()), request(rfc()));
}

#[test]
fn create_sends_references_after_the_resource_is_made() {
    check(
        Shape::default(),
        operation(
            OperationKind::Create,
            "User",
            vec![add("userName", "a"), reference(MANAGER, Change::Add(ids(&["m1"])), false)],
        ),
        &expect![],
    );
}

#[test]
fn create_of_a_group_names_the_older_schema_unless_the_service_refused_it() {
    let group = || operation(OperationKind::Create, GROUP, vec![add("displayName", "Retail"), add("externalId", "8aa1")]);
    check(Shape::default(), group(), &expect![]);
    check(Shape { plain_groups: true, ..Shape::default() }, group(), &expect![]);
}

#[test]
fn create_of_a_user_with_roles() {
    let complex = |key: &str| Value::Object(Arc::new(json!({
        "primary": false, "type": ROLE_TYPE, key: "Editors", "value": "Editor",
    })));
    let roles = |value: Value| AttributeChange { is_multivalued: true, ..add("roles", value) };
    check(
        Shape::default(),
        operation(OperationKind::Create, "User", vec![add(r#"roles[primary eq "True"].value"#, "Admin")]),
        &expect![],
    );
    check(
        Shape::default(),
        operation(OperationKind::Create, "User", vec![roles(complex("displayName"))]),
        &expect![],
    );
}

#[test]
fn default_dialect_has_one_capitalised_operation_per_attribute() {
    check_patch(
        Shape::default(),
        "User",
        vec![
            replace("displayName", "Adele V."),
            replace(WORK_EMAIL, "av@contoso.example"),
            replace("name.givenName", "Adele"),
            add(DEPARTMENT, "Sales"),
            add("nickName", "Babs"),
            clear("title"),
            clear(r#"phoneNumbers[type eq "fax"].value"#),
        ],
        &expect![],
    );
}

#[test]
fn with_the_flag_names_without_selector_are_grouped_under_flat_keys() {
    check_patch(
        rfc(),
        "User",
        vec![
            replace("displayName", "Adele V."),
            replace(WORK_EMAIL, "av@contoso.example"),
            replace("name.givenName", "Adele"),
            replace(EMPLOYEE, "1001"),
            add("nickName", "Babs"),
            add("title", "Boss"),
            clear("locale"),
        ],
        &expect![],
    );
}

#[test]
fn with_the_flag_a_single_attribute_keeps_its_path() {
    check_patch(rfc(), "User", vec![replace("userName", "x")], &expect![]);
    check_patch(rfc(), "User", vec![add("nickName", "Babs"), replace("userName", "x")], &expect![]);
}

#[test]
fn disable_and_enable_send_text_by_default_and_booleans_with_the_flag() {
    check_patch(Shape::default(), "User", vec![replace("active", false)], &expect![]);
    check_patch(Shape::default(), "User", vec![replace("active", "True")], &expect![]);
    check_patch(rfc(), "User", vec![replace("active", "False")], &expect![]);
    check_patch(rfc(), "User", vec![replace("active", true)], &expect![]);
}

#[test]
fn manager_goes_in_a_request_of_its_own() {
    let change = || vec![replace("title", "Boss"), reference(MANAGER, Change::Add(ids(&["m1"])), false)];
    check_patch(Shape::default(), "User", change(), &expect![]);
    check_patch(rfc(), "User", change(), &expect![]);
}

#[test]
fn manager_may_be_an_object_and_is_removed_by_path() {
    let object = Shape { manager: ManagerForm::Object, ..Shape::default() };
    check_patch(object, "User", vec![reference(MANAGER, Change::Replace(ids(&["m2"])), false)], &expect![]);
    check_patch(Shape::default(), "User", vec![reference(MANAGER, Change::Remove(Vec::new()), false)], &expect![]);
    check_patch(rfc(), "User", vec![reference(MANAGER, Change::Remove(Vec::new()), false)], &expect![]);
}

#[test]
fn members_are_added_and_removed_in_both_forms() {
    let changes = || {
        vec![
            reference("members", Change::Add(ids(&["u1", "u2"])), true),
            reference("members", Change::Remove(ids(&["u3", "u\"4"])), true),
        ]
    };
    check_patch(Shape::default(), "Group", changes(), &expect![]);
    check_patch(rfc(), "Group", changes(), &expect![]);
    check_patch(
        Shape { removes_members_by_path: true, ..Shape::default() },
        "Group",
        changes(),
        &expect![],
    );
}

#[test]
fn members_go_in_blocks() {
    let many: Vec<String> = (0..250).map(|number| format!("u{number}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let counts = |shape: Shape, change: Change| -> Vec<usize> {
        let operation = operation(OperationKind::Update, "Group", vec![reference("members", change, true)]);
        preview(&shape, &operation)
            .unwrap()
            .iter()
            .map(|request| match operations(request) {
                [one] if one.get("value").is_some() => one["value"].as_array().unwrap().len(),
                several => several.len(),
            })
            .collect()
    };
    assert_eq!(counts(Shape::default(), Change::Add(ids(&many))), [100, 100, 50]);
    assert_eq!(counts(rfc(), Change::Remove(ids(&many))), [100, 100, 50]);
    assert_eq!(
        counts(Shape { members_per_request: 200, ..Shape::default() }, Change::Remove(ids(&many))),
        [200, 50]
    );
}

#[test]
fn rename_of_a_group_replaces_its_display_name() {
    check_patch(Shape::default(), GROUP, vec![replace("displayName", "Sales")], &expect![]);
}

#[test]
fn a_single_app_role_is_a_document_in_a_text_by_default() {
    let role = || vec![add(r#"roles[primary eq "True"].value"#, "Admin")];
    check_patch(Shape::default(), "User", role(), &expect![]);
    check_patch(rfc(), "User", role(), &expect![]);
    let change = || vec![replace(r#"roles[primary eq "True"].value"#, "Reader")];
    check_patch(Shape::default(), "User", change(), &expect![]);
}

#[test]
fn complex_app_roles_are_added_and_assertive_ones_replaced() {
    let role = |key: &str, name: &str| {
        Value::Object(Arc::new(json!({ "primary": false, "type": ROLE_TYPE, key: name, "value": name })))
    };
    let several = |change: Change| AttributeChange { is_multivalued: true, ..plain("roles", change) };
    let complex = || vec![several(Change::Add(vec![role("displayName", "A"), role("displayName", "B")]))];
    check_patch(Shape::default(), "User", complex(), &expect![]);
    check_patch(rfc(), "User", complex(), &expect![]);
    let assertive = || vec![several(Change::Replace(vec![role("display", "User")]))];
    check_patch(Shape::default(), "User", assertive(), &expect![]);
    check_patch(rfc(), "User", assertive(), &expect![]);
}

#[test]
fn values_keep_their_type_and_date_times_are_rfc_3339() {
    check_patch(
        Shape::default(),
        "User",
        vec![
            replace("urn:x:1.0:User:level", 3),
            replace("urn:x:1.0:User:since", "2026-11-24T10:00:00Z".parse::<jiff::Timestamp>().unwrap()),
            AttributeChange {
                is_multivalued: true,
                ..plain("urn:x:1.0:User:tags", Change::Add(vec!["a".into(), "b".into()]))
            },
            AttributeChange { is_multivalued: true, ..plain("emails", Change::Remove(vec!["a@x.example".into()])) },
        ],
        &expect![],
    );
}

#[test]
fn delete_has_no_body() {
    check(Shape::default(), operation(OperationKind::Delete, "User", Vec::new()), &expect![]);
}

#[test]
fn what_cannot_be_sent_is_refused_with_a_remedy() {
    check(
        Shape::default(),
        operation(OperationKind::Update, "User", vec![replace("id", "x")]),
        &expect![],
    );
    check(
        Shape::default(),
        operation(OperationKind::Update, "User", vec![replace("emails[type eq].value", "x")]),
        &expect![],
    );
    check(Shape::default(), operation(OperationKind::Create, "Device", Vec::new()), &expect![]);
    let nowhere = Operation { anchor: Some(Anchor::new("..")), ..operation(OperationKind::Delete, "User", Vec::new()) };
    check(Shape::default(), nowhere, &expect![]);
}

#[test]
fn ids_are_one_path_segment() {
    let anchor = Anchor::new("a/b?c#d e@x.example");
    assert_eq!(resource_path(Kind::User, &anchor).unwrap(), "/Users/a%2Fb%3Fc%23d%20e@x.example");
}

fn found(object_type: &str, attribute: &str, value: impl Into<Value>, attributes: &[&str]) -> String {
    let query = MatchQuery {
        object_type: object_type.into(),
        attribute: attribute.into(),
        value: value.into(),
        attributes: attributes.iter().map(SmolStr::from).collect(),
    };
    find(&query, 1).unwrap().path
}

#[test]
fn filters_have_blanks_as_plus_and_quotes_escaped() {
    expect!["/Users?filter=userName+eq+%22a%40contoso.com%22"].assert_eq(&found("User", "userName", "a@contoso.com", &[]));
    expect![].assert_eq(&found("User", WORK_EMAIL, "a+b\"c\\d@x.example", &[]));
    expect![].assert_eq(&found("User", "active", "true", &[]));
    expect![].assert_eq(&found("User", EMPLOYEE, 1001, &[]));
}

#[test]
fn groups_are_read_without_members_unless_somebody_asks_for_them() {
    expect![].assert_eq(&found(GROUP, "displayName", "R & D", &["displayName"]));
    expect![].assert_eq(&found(GROUP, "displayName", "Retail", &["displayName", "members"]));
    let one = |attributes: &[&str]| {
        get(&GetRequest {
            object_type: GROUP.into(),
            anchor: Anchor::new("g1"),
            attributes: attributes.iter().map(SmolStr::from).collect(),
        })
        .unwrap()
        .path
    };
    assert_eq!(one(&["displayName"]), "/Groups/g1?excludedAttributes=members");
    assert_eq!(one(&["members"]), "/Groups/g1");
}
