//! The forms of PATCH.

use super::*;

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
        &expect![[r#"
            PATCH /Users/7d1
              {"op":"Replace","path":"displayName","value":"Adele V."}
              {"op":"Replace","path":"emails[type eq \"work\"].value","value":"av@contoso.example"}
              {"op":"Replace","path":"name.givenName","value":"Adele"}
              {"op":"Add","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department","value":"Sales"}
              {"op":"Add","path":"nickName","value":"Babs"}
              {"op":"Remove","path":"title"}
              {"op":"Remove","path":"phoneNumbers[type eq \"fax\"].value"}
        "#]],
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
        &expect![[r#"
            PATCH /Users/7d1
              {"op":"replace","path":"emails[type eq \"work\"].value","value":"av@contoso.example"}
              {"op":"remove","path":"locale"}
              {"op":"add","value":{"nickName":"Babs","title":"Boss"}}
              {"op":"replace","value":{"displayName":"Adele V.","name.givenName":"Adele","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber":"1001"}}
        "#]],
    );
}

#[test]
fn with_the_flag_a_single_attribute_keeps_its_path() {
    check_patch(
        rfc(),
        "User",
        vec![replace("userName", "x")],
        &expect![[r#"
        PATCH /Users/7d1
          {"op":"replace","path":"userName","value":"x"}
    "#]],
    );
    check_patch(
        rfc(),
        "User",
        vec![add("nickName", "Babs"), replace("userName", "x")],
        &expect![[r#"
        PATCH /Users/7d1
          {"op":"add","path":"nickName","value":"Babs"}
          {"op":"replace","path":"userName","value":"x"}
    "#]],
    );
}

#[test]
fn disable_and_enable_send_text_by_default_and_booleans_with_the_flag() {
    check_patch(
        Shape::default(),
        "User",
        vec![replace("active", false)],
        &expect![[r#"
        PATCH /Users/7d1
          {"op":"Replace","path":"active","value":"False"}
    "#]],
    );
    check_patch(
        Shape::default(),
        "User",
        vec![replace("active", "True")],
        &expect![[r#"
        PATCH /Users/7d1
          {"op":"Replace","path":"active","value":"True"}
    "#]],
    );
    check_patch(
        rfc(),
        "User",
        vec![replace("active", "False")],
        &expect![[r#"
        PATCH /Users/7d1
          {"op":"replace","path":"active","value":false}
    "#]],
    );
    check_patch(
        rfc(),
        "User",
        vec![replace("active", true)],
        &expect![[r#"
        PATCH /Users/7d1
          {"op":"replace","path":"active","value":true}
    "#]],
    );
}

#[test]
fn manager_goes_in_a_request_of_its_own() {
    let change = || vec![replace("title", "Boss"), reference(MANAGER, Change::Add(ids(&["m1"])), false)];
    check_patch(
        Shape::default(),
        "User",
        change(),
        &expect![[r#"
        PATCH /Users/7d1
          {"op":"Replace","path":"title","value":"Boss"}
        PATCH /Users/7d1
          {"op":"Add","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager","value":"m1"}
    "#]],
    );
    check_patch(
        rfc(),
        "User",
        change(),
        &expect![[r#"
        PATCH /Users/7d1
          {"op":"replace","path":"title","value":"Boss"}
        PATCH /Users/7d1
          {"op":"add","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager","value":"m1"}
    "#]],
    );
}

#[test]
fn manager_may_be_an_object_and_is_removed_by_path() {
    let object = Shape { manager: ManagerForm::Object, ..Shape::default() };
    check_patch(
        object,
        "User",
        vec![reference(MANAGER, Change::Replace(ids(&["m2"])), false)],
        &expect![[r#"
        PATCH /Users/7d1
          {"op":"Replace","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager","value":{"value":"m2"}}
    "#]],
    );
    check_patch(
        Shape::default(),
        "User",
        vec![reference(MANAGER, Change::Remove(Vec::new()), false)],
        &expect![[r#"
        PATCH /Users/7d1
          {"op":"Remove","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager"}
    "#]],
    );
    check_patch(
        rfc(),
        "User",
        vec![reference(MANAGER, Change::Remove(Vec::new()), false)],
        &expect![[r#"
        PATCH /Users/7d1
          {"op":"remove","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager"}
    "#]],
    );
}

#[test]
fn members_are_added_and_removed_in_both_forms() {
    let changes = || {
        vec![
            reference("members", Change::Add(ids(&["u1", "u2"])), true),
            reference("members", Change::Remove(ids(&["u3", "u\"4"])), true),
        ]
    };
    check_patch(
        Shape::default(),
        "Group",
        changes(),
        &expect![[r#"
        PATCH /Groups/7d1
          {"op":"Add","path":"members","value":[{"$ref":null,"value":"u1"},{"$ref":null,"value":"u2"}]}
        PATCH /Groups/7d1
          {"op":"Remove","path":"members","value":[{"$ref":null,"value":"u3"},{"$ref":null,"value":"u\"4"}]}
    "#]],
    );
    check_patch(
        rfc(),
        "Group",
        changes(),
        &expect![[r#"
        PATCH /Groups/7d1
          {"op":"add","path":"members","value":[{"value":"u1"},{"value":"u2"}]}
        PATCH /Groups/7d1
          {"op":"remove","path":"members[value eq \"u3\"]"}
          {"op":"remove","path":"members[value eq \"u\\\"4\"]"}
    "#]],
    );
    check_patch(
        Shape { removes_members_by_path: true, ..Shape::default() },
        "Group",
        changes(),
        &expect![[r#"
            PATCH /Groups/7d1
              {"op":"Add","path":"members","value":[{"$ref":null,"value":"u1"},{"$ref":null,"value":"u2"}]}
            PATCH /Groups/7d1
              {"op":"Remove","path":"members[value eq \"u3\"]"}
              {"op":"Remove","path":"members[value eq \"u\\\"4\"]"}
        "#]],
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
    check_patch(
        Shape::default(),
        GROUP,
        vec![replace("displayName", "Sales")],
        &expect![[r#"
        PATCH /Groups/7d1
          {"op":"Replace","path":"displayName","value":"Sales"}
    "#]],
    );
}

#[test]
fn a_single_app_role_is_a_document_in_a_text_by_default() {
    let role = || vec![add(r#"roles[primary eq "True"].value"#, "Admin")];
    check_patch(
        Shape::default(),
        "User",
        role(),
        &expect![[r#"
        PATCH /Users/7d1
          {"op":"Add","path":"roles","value":[{"value":"{\"value\":\"Admin\",\"displayName\":\"Admin\"}"}]}
    "#]],
    );
    check_patch(
        rfc(),
        "User",
        role(),
        &expect![[r#"
        PATCH /Users/7d1
          {"op":"add","path":"roles","value":[{"primary":true,"type":"WindowsAzureActiveDirectoryRole","value":"Admin"}]}
    "#]],
    );
    let change = || vec![replace(r#"roles[primary eq "True"].value"#, "Reader")];
    check_patch(
        Shape::default(),
        "User",
        change(),
        &expect![[r#"
        PATCH /Users/7d1
          {"op":"Replace","path":"roles[primary eq \"True\"].value","value":"Reader"}
    "#]],
    );
}

#[test]
fn complex_app_roles_are_added_and_assertive_ones_replaced() {
    let role = |key: &str, name: &str| {
        Value::Object(Arc::new(json!({ "primary": false, "type": ROLE_TYPE, key: name, "value": name })))
    };
    let several = |change: Change| AttributeChange { is_multivalued: true, ..plain("roles", change) };
    let complex = || vec![several(Change::Add(vec![role("displayName", "A"), role("displayName", "B")]))];
    check_patch(
        Shape::default(),
        "User",
        complex(),
        &expect![[r#"
        PATCH /Users/7d1
          {"op":"Add","path":"roles","value":[{"value":"{\"value\":\"A\",\"displayName\":\"A\"}"},{"value":"{\"value\":\"B\",\"displayName\":\"B\"}"}]}
    "#]],
    );
    check_patch(
        rfc(),
        "User",
        complex(),
        &expect![[r#"
        PATCH /Users/7d1
          {"op":"add","path":"roles","value":[{"primary":false,"type":"WindowsAzureActiveDirectoryRole","displayName":"A","value":"A"},{"primary":false,"type":"WindowsAzureActiveDirectoryRole","displayName":"B","value":"B"}]}
    "#]],
    );
    let assertive = || vec![several(Change::Replace(vec![role("display", "User")]))];
    check_patch(
        Shape::default(),
        "User",
        assertive(),
        &expect![[r#"
        PATCH /Users/7d1
          {"op":"replace","path":"roles","value":[{"primary":false,"type":"WindowsAzureActiveDirectoryRole","display":"User","value":"User"}]}
    "#]],
    );
    check_patch(
        rfc(),
        "User",
        assertive(),
        &expect![[r#"
        PATCH /Users/7d1
          {"op":"replace","path":"roles","value":[{"primary":false,"type":"WindowsAzureActiveDirectoryRole","display":"User","value":"User"}]}
    "#]],
    );
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
            AttributeChange {
                is_multivalued: true,
                ..plain("emails", Change::Remove(vec!["a@x.example".into()]))
            },
        ],
        &expect![[r#"
            PATCH /Users/7d1
              {"op":"Replace","path":"urn:x:1.0:User:level","value":3}
              {"op":"Replace","path":"urn:x:1.0:User:since","value":"2026-11-24T10:00:00Z"}
              {"op":"Add","path":"urn:x:1.0:User:tags","value":["a","b"]}
              {"op":"Remove","path":"emails","value":[{"value":"a@x.example"}]}
        "#]],
    );
}
