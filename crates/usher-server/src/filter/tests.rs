//! What filters mean, and what is refused.

use serde_json::json;

use super::*;

fn holds(filter: &str) -> bool {
    let object = json!({
        "displayName": "Adele Vance", "mail": null, "age": 7, "accountEnabled": true,
        "proxyAddresses": ["smtp:a@x", "SMTP:b@x"], "owners": [],
        "activityDateTime": "2026-03-01T10:00:00Z", "servicePrincipal": { "id": "ABC" },
    });
    Filter::parse(filter).expect("the filter reads").holds(&object, false)
}

#[test]
fn comparisons_functions_and_precedence() {
    assert!(holds("displayName eq 'Adele Vance'"));
    assert!(!holds("displayName eq 'adele vance'"));
    assert!(holds("startsWith(displayName,'Adele') and age gt 6"));
    assert!(holds("age eq 1 or age eq 7 and accountEnabled eq true"));
    assert!(!holds("(age eq 1 or age eq 7) and accountEnabled eq false"));
    assert!(holds("not (age lt 7)"));
    assert!(holds("mail eq null"));
    assert!(holds("age in (1, 7)"));
    assert!(holds("contains(tolower(servicePrincipal/id), 'abc')"));
    assert!(holds("activityDateTime gt 2026-02-28 and activityDateTime lt 2026-03-01T10:00:01Z"));
}

#[test]
fn lists_are_looked_into_and_counted() {
    assert!(holds("proxyAddresses/any(p:p eq 'smtp:a@x')"));
    assert!(!holds("proxyAddresses/any(p:p eq 'smtp:c@x')"));
    assert!(holds("proxyAddresses/any(p: startsWith(p,'SMTP') or p eq 'x') and displayName ne 'x'"));
    assert!(holds("owners/$count eq 0 and proxyAddresses/$count ge 2"));
    assert!(holds("proxyAddresses/any() and not owners/any()"));
    let filter = Filter::parse("id eq 'a' or id in ('b', 'c')").expect("it reads");
    assert_eq!(filter.any_of("id"), Some(vec!["a", "b", "c"]));
    assert_eq!(Filter::parse("id eq 'a' and x eq 'b'").expect("it reads").any_of("id"), None);
}

#[test]
fn quotes_inside_texts_are_doubled() {
    assert_eq!(Filter::parse("a eq 'O''Hara'").expect("it reads").as_equality(), Some(("a", "O'Hara")));
}

#[test]
fn nonsense_is_refused_with_a_reason() {
    for (filter, reason) in [
        ("x/any(y:z eq 1)", "inside any, every comparison begins with 'y'"),
        ("x/any(y eq 1)", "'y' is not a variable with a colon"),
        ("x/any(y:y eq 1", "')' is missing at the end"),
        ("x/$count eq 'a'", "'$count' is compared with a number"),
        ("x/all(y:y eq 1)", "an operator is missing after 'x/all'"),
        ("", "a property is missing"),
        ("a", "an operator is missing after 'a'"),
        ("a like 'b'", "'like' is not an operator"),
        ("a eq", "a value is missing"),
        ("a eq b", "'b' is not a value; texts stand in single quotes"),
        ("a eq 'b", "a text is not closed with a quote"),
        ("(a eq 1", "')' is missing at the end"),
        ("a eq 1 b", "'b' is not expected there"),
    ] {
        let error = Filter::parse(filter).expect_err(filter);
        assert!(error.starts_with(reason), "{filter}: {error}");
    }
    let deep = format!("{}a eq 1{}", "(".repeat(500), ")".repeat(500));
    assert!(Filter::parse(&deep).is_err());
}
