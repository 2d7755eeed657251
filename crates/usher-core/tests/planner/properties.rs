//! What holds for every person: equal input, equal plan; an applied plan leads to an empty one.

use proptest::prelude::*;
use serde_json::json;
use usher_core::ports::Entitlement;
use usher_core::{Anchor, AttributeSet, Change, DirectoryObject, OperationKind, Plan};
use usher_expr::Value;

use crate::world::{World, account, assigned, decide, paired, program, transcript};

fn text() -> impl Strategy<Value = Option<String>> {
    prop_oneof![Just(None), Just(Some(String::new())), "[a-cA-C@ ]{1,6}".prop_map(Some)]
}

prop_compose! {
    fn person()(
        name in "[a-c]{1,4}@x", number in text(), display in text(), department in text(), mail in text(),
        enabled in any::<bool>(), emails in proptest::collection::vec("[a-c]{1,3}", 0..4),
    ) -> DirectoryObject {
        let mut attributes = AttributeSet::default();
        attributes.set("userPrincipalName", Value::from(name.as_str()));
        for (key, value) in [("employeeId", number), ("displayName", display), ("department", department), ("mail", mail)] {
            if let Some(value) = value {
                attributes.set(key, Value::from(value.as_str()));
            }
        }
        attributes.set("accountEnabled", Value::from(if enabled { "True" } else { "False" }));
        attributes.set("proxyAddresses", Value::from_json(&json!(emails)));
        DirectoryObject { object_type: "User".into(), anchor: Anchor::new("s-1"), attributes }
    }
}

/// Does to the world what a plan says.
fn apply(plan: &Plan, world: &mut World) {
    for operation in &plan.operations {
        match operation.kind {
            OperationKind::Create => world.target.push(account(json!({}))),
            OperationKind::Delete => world.target.clear(),
            OperationKind::Update => {}
        }
        let Some(target) = world.target.first_mut() else { continue };
        for change in &operation.changes {
            let had: Vec<Value> = match target.attributes.value(&change.attribute) {
                Some(Value::List(values)) => values.to_vec(),
                Some(value) => vec![value.clone()],
                None => Vec::new(),
            };
            let has: Vec<Value> = match &change.change {
                Change::Add(values) => had.into_iter().chain(values.iter().cloned()).collect(),
                Change::Replace(values) => values.clone(),
                Change::Remove(values) if values.is_empty() => Vec::new(),
                Change::Remove(values) => had.into_iter().filter(|value| !values.contains(value)).collect(),
            };
            let value = match has.as_slice() {
                [] => Value::Null,
                [one] if !change.is_multivalued => one.clone(),
                several => Value::List(several.to_vec().into()),
            };
            target.attributes.set(change.attribute.clone(), value);
        }
    }
}

proptest! {
    #[test]
    fn same_input_gives_the_same_plan(source in person(), is_assigned in any::<bool>()) {
        let rule = program();
        let mut facts = assigned(source);
        facts.entitlement = Some(Entitlement { is_assigned, has_role: is_assigned });
        let world = World::default();
        prop_assert_eq!(decide(&rule, facts.clone(), &world), decide(&rule, facts, &world));
    }

    #[test]
    fn an_applied_plan_leads_to_an_empty_plan(first in person(), second in person(), is_assigned in any::<bool>()) {
        let rule = program();
        let mut world = World::default();
        let created = decide(&rule, assigned(first), &world);
        apply(&created, &mut world);
        let mut facts = assigned(second);
        facts.entitlement = Some(Entitlement { is_assigned, has_role: is_assigned });
        if !world.target.is_empty() {
            facts = paired(facts, true);
        }
        let plan = decide(&rule, facts.clone(), &world);
        apply(&plan, &mut world);
        if plan.operations.iter().any(|operation| operation.kind == OperationKind::Create) {
            facts = paired(facts, true);
        }
        let again = decide(&rule, facts, &world);
        prop_assert!(again.operations.is_empty(), "{}\nthen\n{}", transcript(&plan), transcript(&again));
    }
}
