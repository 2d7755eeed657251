//! What is sent to Microsoft Graph is what was planned.

use usher_core::ports::Connector;
use usher_core::{Anchor, AttributeChange, Change, Operation, OperationKind};
use usher_expr::Value;
use usher_testkit::suites::plans::sends_as_planned;

use crate::stage::Tenant;

fn set(attribute: &str, value: &str) -> AttributeChange {
    AttributeChange {
        attribute: attribute.into(),
        change: Change::Replace(vec![value.into()]),
        is_reference: false,
        is_multivalued: false,
    }
}

fn refer(
    attribute: &str,
    change: fn(Vec<Value>) -> Change,
    to: &Anchor,
    is_multivalued: bool,
) -> AttributeChange {
    AttributeChange {
        attribute: attribute.into(),
        change: change(vec![Value::Reference(to.as_str().into())]),
        is_reference: true,
        is_multivalued,
    }
}

/// Carries out an operation, and holds what arrived in the tenant against what was planned, too.
async fn sent(
    tenant: &Tenant,
    connector: &dyn Connector,
    kind: OperationKind,
    object_type: &str,
    anchor: Option<&Anchor>,
    changes: Vec<AttributeChange>,
) -> Anchor {
    let operation = Operation { kind, object_type: object_type.into(), anchor: anchor.cloned(), changes };
    let planned: Vec<String> = connector
        .preview(&operation)
        .iter()
        .map(|one| format!("{} /v1.0{}", one.method, one.path.split('?').next().unwrap_or_default()))
        .collect();
    tenant.seen();
    let (written, told) = sends_as_planned(connector, &operation).await;
    let writes: Vec<String> = tenant
        .seen()
        .into_iter()
        .filter(|one| !one.starts_with("GET ") && !one.ends_with("/$batch"))
        .collect();
    assert_eq!(writes, planned, "what arrived");
    written.unwrap_or_else(|error| panic!("{error}: {told:#?}")).anchor
}

#[tokio::test(flavor = "multi_thread")]
async fn graph_is_sent_what_was_planned_and_drawn_passwords_are_told_nowhere() {
    let tenant = Tenant::start().await;
    let connector = tenant.connector(&[]);
    let person = |name: &str| {
        vec![
            set("userPrincipalName", &format!("{name}@contoso.example")),
            set("displayName", "\u{c4}rztin \"h.c.\""),
            set("mailNickname", name),
        ]
    };
    let create = OperationKind::Create;
    let drawn = Operation { kind: create, object_type: "User".into(), anchor: None, changes: person("ann") };
    let planned = serde_json::to_string(&connector.preview(&drawn)).expect("it has a form");
    assert!(planned.contains("\"password\":\"@drawn-password\""), "{planned}");
    let ann = sent(&tenant, &*connector, create, "User", None, person("ann")).await;
    let bob = sent(&tenant, &*connector, create, "User", None, person("bob")).await;
    for changes in [
        vec![set("jobTitle", "a, b; c"), set("department", "1")],
        vec![refer("manager", Change::Replace, &bob, false)],
        vec![set("jobTitle", "Boss")],
    ] {
        sent(&tenant, &*connector, OperationKind::Update, "User", Some(&ann), changes).await;
    }
    let retail = vec![set("displayName", "Retail"), set("mailNickname", "retail")];
    let group = sent(&tenant, &*connector, create, "Group", None, retail).await;
    for change in [Change::Add, Change::Remove] {
        let members = vec![refer("members", change, &ann, true)];
        sent(&tenant, &*connector, OperationKind::Update, "Group", Some(&group), members).await;
    }
    for (object_type, anchor) in [("Group", &group), ("User", &ann)] {
        sent(&tenant, &*connector, OperationKind::Delete, object_type, Some(anchor), Vec::new()).await;
    }
}
