//! What schemas ask for as requests of LDAP.

use usher_core::OperationKind;

use super::*;

fn operation(changes: Vec<AttributeChange>) -> Operation {
    Operation { kind: OperationKind::Update, object_type: "user".into(), anchor: None, changes }
}

fn change(attribute: &str, change: Change) -> AttributeChange {
    AttributeChange { attribute: attribute.into(), change, is_reference: false, is_multivalued: false }
}

fn replace(attribute: &str, value: &str) -> AttributeChange {
    change(attribute, Change::Replace(vec![Value::text(value)]))
}

fn members(change: Change) -> AttributeChange {
    AttributeChange { attribute: "member".into(), change, is_reference: true, is_multivalued: true }
}

#[test]
fn the_switch_of_an_account_is_one_bit() {
    for (before, is_disabled, after) in [
        (None, true, 514),
        (None, false, 512),
        (Some(66_050), false, 66_048),
        (Some(546), false, 512),
        (Some(66_048), true, 66_050),
    ] {
        assert_eq!(state(before, is_disabled), after);
    }
}

#[test]
fn a_password_is_quoted_utf_16_and_never_shown() {
    let (_, values) = password(&Secret::new("Ü n1que!"));
    let hex: String = values[0].iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, "2200dc0020006e00310071007500650021002200");
    let of_others = ("userPassword".to_owned(), vec![b"hush".to_vec()]);
    let request = shown::add(&Dn::default(), &[password(&Secret::new("hush")), of_others]);
    let told = request.body.map(|body| body.to_string()).unwrap_or_default();
    assert_eq!(told, r#"{"unicodePwd":["[Redact]"],"userPassword":["[Redact]"]}"#);
}

#[test]
fn names_places_and_states_are_no_attributes() {
    let operation = operation(vec![
        replace("CN", "Adele Vance"),
        replace("parentDistinguishedName", "OU=People,DC=x"),
        replace("accountDisabled", "True"),
        replace("title", "Clerk"),
        change("parentDistinguishedName", Change::Remove(Vec::new())),
    ]);
    let wish = Wish::of(&operation, "cn").expect("it can be read");
    assert_eq!(wish.name.as_deref(), Some("Adele Vance"));
    assert_eq!(wish.container.as_ref().map(Dn::text).as_deref(), Some("OU=People,DC=x"));
    assert_eq!(wish.is_disabled, Some(true));
    let edits = wish.edits(&DirectorySchema::default()).expect("the values can be written");
    assert_eq!(edits, [Edit::Replace("title".to_owned(), vec![b"Clerk".to_vec()])]);
}

#[test]
fn another_attribute_may_name_entries() {
    let operation = operation(vec![replace("uid", "adele"), replace("cn", "Adele Vance")]);
    let wish = Wish::of(&operation, "uid").expect("it can be read");
    assert_eq!((wish.name.as_deref(), wish.text("cn").as_deref()), (Some("adele"), Some("Adele Vance")));
}

#[test]
fn what_cannot_be_written_is_refused_with_its_attribute() {
    for (attribute, value, says) in [
        ("parentDistinguishedName", "People", "is no distinguished name"),
        ("accountDisabled", "maybe", "neither True nor False"),
    ] {
        let operation = operation(vec![replace(attribute, value)]);
        let error = Wish::of(&operation, "cn").err().expect(value);
        assert_eq!(error.attribute.as_deref(), Some(attribute));
        assert!(error.message.contains(says), "{}", error.message);
    }
    let operation = operation(vec![replace("title", "")]);
    let wish = Wish::of(&operation, "cn").expect("it can be read");
    let error = wish.edits(&DirectorySchema::default()).expect_err("empty texts are not taken");
    assert!(error.message.contains("no empty values"), "{}", error.message);
}

#[test]
fn many_members_are_changed_in_blocks_and_unknown_ones_are_told() {
    let anchors: Vec<String> = (0..2_500).map(|number| format!("a{number}")).collect();
    let mut names: Names = anchors.iter().map(|anchor| (anchor.clone(), format!("<{anchor}>"))).collect();
    names.remove("a7");
    let values: Vec<Value> = anchors.iter().map(|anchor| Value::Reference(anchor.as_str().into())).collect();
    for (wanted, is_told) in [(Change::Add(values.clone()), true), (Change::Remove(values), false)] {
        let operation = operation(vec![members(wanted)]);
        let wish = Wish::of(&operation, "cn").expect("it can be read");
        let (edits, missing) = wish.references(&DirectorySchema::default(), &names);
        assert_eq!(edits.iter().map(|edit| edit.values().len()).collect::<Vec<_>>(), [1_000, 1_000, 499]);
        assert_eq!(missing.len(), usize::from(is_told));
    }
}

#[test]
fn kinds_of_groups_are_one_number() {
    for (security, universal, kind) in
        [("True", "True", "-2147483640"), ("False", "True", "8"), ("True", "False", "-2147483646")]
    {
        let operation =
            operation(vec![replace("isSecurityGroup", security), replace("UniversalScope", universal)]);
        let wish = Wish::of(&operation, "cn").expect("it can be read");
        let attributes = wish.attributes(&DirectorySchema::default()).expect("the values can be written");
        assert_eq!(attributes, [("groupType".to_owned(), vec![kind.as_bytes().to_vec()])]);
    }
}
