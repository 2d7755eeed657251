//! Operations in, requests out: every published form of both dialects.

mod update;

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
        &expect![[r#"
            POST /Users
            {
              "schemas": [
                "urn:ietf:params:scim:schemas:core:2.0:User",
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
              ],
              "externalId": "adele.v",
              "userName": "adele.v@contoso.example",
              "active": true,
              "displayName": "Adele Vance",
              "emails": [
                {
                  "primary": true,
                  "type": "work",
                  "value": "adele.v@contoso.example"
                }
              ],
              "addresses": [
                {
                  "type": "work",
                  "formatted": "18/2111",
                  "postalCode": "98052"
                }
              ],
              "phoneNumbers": [
                {
                  "type": "mobile",
                  "value": "+1 425 555 0101"
                }
              ],
              "name": {
                "givenName": "Adele",
                "familyName": "Vance"
              },
              "meta": {
                "resourceType": "User"
              },
              "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {
                "department": "Retail"
              },
              "urn:ietf:params:scim:schemas:extension:Contoso:2.0:User": {
                "badge": 17
              }
            }
        "#]],
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
        &expect![[r#"
            POST /Users
            {
              "schemas": [
                "urn:ietf:params:scim:schemas:core:2.0:User",
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
              ],
              "userName": "a",
              "meta": {
                "resourceType": "User"
              }
            }
            PATCH /Users/(id of the new resource)
            {
              "schemas": [
                "urn:ietf:params:scim:api:messages:2.0:PatchOp"
              ],
              "Operations": [
                {
                  "op": "Add",
                  "path": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager",
                  "value": "m1"
                }
              ]
            }
        "#]],
    );
}

#[test]
fn create_of_a_group_names_the_older_schema_unless_the_service_refused_it() {
    let group = || {
        operation(OperationKind::Create, GROUP, vec![add("displayName", "Retail"), add("externalId", "8aa1")])
    };
    check(
        Shape::default(),
        group(),
        &expect![[r#"
        POST /Groups
        {
          "schemas": [
            "urn:ietf:params:scim:schemas:core:2.0:Group",
            "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"
          ],
          "displayName": "Retail",
          "externalId": "8aa1",
          "meta": {
            "resourceType": "Group"
          }
        }
    "#]],
    );
    check(
        Shape { plain_groups: true, ..Shape::default() },
        group(),
        &expect![[r#"
        POST /Groups
        {
          "schemas": [
            "urn:ietf:params:scim:schemas:core:2.0:Group"
          ],
          "displayName": "Retail",
          "externalId": "8aa1",
          "meta": {
            "resourceType": "Group"
          }
        }
    "#]],
    );
}

#[test]
fn create_of_a_user_with_roles() {
    let complex = |key: &str| {
        Value::Object(Arc::new(json!({
            "primary": false, "type": ROLE_TYPE, key: "Editors", "value": "Editor",
        })))
    };
    let roles = |value: Value| AttributeChange { is_multivalued: true, ..add("roles", value) };
    check(
        Shape::default(),
        operation(OperationKind::Create, "User", vec![add(r#"roles[primary eq "True"].value"#, "Admin")]),
        &expect![[r#"
            POST /Users
            {
              "schemas": [
                "urn:ietf:params:scim:schemas:core:2.0:User",
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
              ],
              "roles": [
                {
                  "primary": true,
                  "type": "WindowsAzureActiveDirectoryRole",
                  "value": "Admin"
                }
              ],
              "meta": {
                "resourceType": "User"
              }
            }
        "#]],
    );
    check(
        Shape::default(),
        operation(OperationKind::Create, "User", vec![roles(complex("displayName"))]),
        &expect![[r#"
            POST /Users
            {
              "schemas": [
                "urn:ietf:params:scim:schemas:core:2.0:User",
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
              ],
              "roles": [
                {
                  "primary": false,
                  "type": "WindowsAzureActiveDirectoryRole",
                  "displayName": "Editors",
                  "value": "Editor"
                }
              ],
              "meta": {
                "resourceType": "User"
              }
            }
        "#]],
    );
}

#[test]
fn delete_has_no_body() {
    check(
        Shape::default(),
        operation(OperationKind::Delete, "User", Vec::new()),
        &expect![[r#"
        DELETE /Users/7d1
    "#]],
    );
}

#[test]
fn what_cannot_be_sent_is_refused_with_a_remedy() {
    check(
        Shape::default(),
        operation(OperationKind::Update, "User", vec![replace("id", "x")]),
        &expect![[r#"
            Rejected SchemaPropertyCanOnlyAcceptValue: the target attribute 'id' cannot be used: the service gives the id itself; take it out of the mappings
        "#]],
    );
    check(
        Shape::default(),
        operation(OperationKind::Update, "User", vec![replace("emails[type eq].value", "x")]),
        &expect![[r#"
            Rejected SchemaPropertyCanOnlyAcceptValue: the target attribute 'emails[type eq].value' cannot be used: the selector must be comparisons such as type eq "work", joined by 'and'
        "#]],
    );
    check(
        Shape::default(),
        operation(OperationKind::Create, "Device", Vec::new()),
        &expect![[r#"
        Unsupported NotImplemented: a SCIM service has users and groups, but no 'Device'
    "#]],
    );
    let nowhere =
        Operation { anchor: Some(Anchor::new("..")), ..operation(OperationKind::Delete, "User", Vec::new()) };
    check(
        Shape::default(),
        nowhere,
        &expect![[r#"
        Rejected InvalidAnchor: '..' is not the id of a resource
    "#]],
    );
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
        attributes: attributes.iter().copied().map(SmolStr::from).collect(),
    };
    find(&query, 1).unwrap().path
}

#[test]
fn filters_have_blanks_as_plus_and_quotes_escaped() {
    expect!["/Users?filter=userName+eq+%22a%40contoso.com%22"].assert_eq(&found(
        "User",
        "userName",
        "a@contoso.com",
        &[],
    ));
    expect!["/Users?filter=emails%5Btype+eq+%22work%22%5D.value+eq+%22a%2Bb%5C%22c%5C%5Cd%40x.example%22"]
        .assert_eq(&found("User", WORK_EMAIL, "a+b\"c\\d@x.example", &[]));
    expect!["/Users?filter=active+eq+true"].assert_eq(&found("User", "active", "true", &[]));
    expect!["/Users?filter=urn%3Aietf%3Aparams%3Ascim%3Aschemas%3Aextension%3Aenterprise%3A2.0%3AUser%3AemployeeNumber+eq+%221001%22"].assert_eq(&found("User", EMPLOYEE, 1001, &[]));
}

#[test]
fn groups_are_read_without_members_unless_somebody_asks_for_them() {
    expect!["/Groups?excludedAttributes=members&filter=displayName+eq+%22R+%26+D%22"].assert_eq(&found(
        GROUP,
        "displayName",
        "R & D",
        &["displayName"],
    ));
    expect!["/Groups?filter=displayName+eq+%22Retail%22"].assert_eq(&found(
        GROUP,
        "displayName",
        "Retail",
        &["displayName", "members"],
    ));
    let one = |attributes: &[&str]| {
        get(&GetRequest {
            object_type: GROUP.into(),
            anchor: Anchor::new("g1"),
            attributes: attributes.iter().copied().map(SmolStr::from).collect(),
        })
        .unwrap()
        .path
    };
    assert_eq!(one(&["displayName"]), "/Groups/g1?excludedAttributes=members");
    assert_eq!(one(&["members"]), "/Groups/g1");
}
