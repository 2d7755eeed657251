//! Matching and replacing.

use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::vectors::check;
use usher_expr::dotnet::regex::{Pattern, PatternError, Replacement};

const VECTORS: &str = include_str!("regex.jsonl");

fn pattern(text: &str) -> Pattern {
    Pattern::compile(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn replace(source: &str, text: &str, replacement: &str) -> String {
    pattern(source).replace(text, &Replacement::parse(replacement)).expect("few steps")
}

#[test]
fn patterns_match_and_replace_as_in_dotnet() {
    check(VECTORS, None, 1000, |vector| {
        let compiled = Pattern::compile(vector.text("pattern"));
        if vector.optional("text").is_none() {
            let actual = match compiled {
                Err(PatternError::Invalid { .. }) => "invalid".to_owned(),
                other => format!("{:?}", other.err()),
            };
            return ("invalid".to_owned(), actual);
        }
        let text = vector.text("text");
        let mut expected = String::new();
        let mut actual = String::new();
        match compiled {
            Err(error) => actual = error.to_string(),
            Ok(compiled) => {
                let groups = vector.member("groups").as_object();
                expected.push_str(if groups.is_some() { "match" } else { "no match" });
                actual.push_str(if compiled.is_match(text).unwrap() { "match" } else { "no match" });
                for (name, value) in groups.into_iter().flatten() {
                    assert!(compiled.has_group(name), "no group {name}");
                    expected.push_str(&format!(" {name}={}", value.as_str().unwrap()));
                    let group = compiled.first_group(text, name).unwrap();
                    actual.push_str(&format!(" {name}={}", group.unwrap_or("none".to_owned())));
                }
                let replacement = Replacement::parse(vector.text("replacement"));
                actual.push_str(&format!(" -> {}", compiled.replace(text, &replacement).unwrap()));
            }
        }
        expected.push_str(&format!(" -> {}", vector.text("replaced")));
        (expected, actual)
    });
}

#[test]
fn characters_beyond_16_bits_count_once() {
    assert_eq!(replace(".", "😀", "-"), "-");
    assert_eq!(replace(r"[\ud800-\udfff]", "a😀b", "-"), "a-b");
    assert_eq!(replace("[^a-z]", "a😀b", "_"), "a_b");
    assert_eq!(replace(r"\p{Cs}", "a😀b", ""), "ab");
    assert_eq!(replace(r"[^\u0000-\uffff]|\udc00", "a😀b", "-"), "a😀b");
    assert_eq!(replace(r"[\u0080-\uffff]", "a😀b", "-"), "a-b");
}

#[test]
fn group_replacement_leaves_the_rest_of_the_match() {
    let phone = pattern(r"(?<country>\+\d+) (?<rest>[\d ]+)");
    assert_eq!(phone.replace_group("+49 30 12, +1 5", "country", "$1").unwrap(), "$1 30 12, $1 5");
    assert_eq!(phone.replace_group("+49 30", "2", "x").unwrap(), "+49 x");
    assert_eq!(phone.replace_group("+49 30", "nothing", "x").unwrap(), "+49 30");
    assert_eq!(phone.replace_group("none", "country", "x").unwrap(), "none");
    assert_eq!(pattern("a(?<n>x)?b").replace_group("ab axb", "n", "-").unwrap(), "ab a-b");
    assert_eq!(pattern("(?=..(?<n>c))a|b").replace_group("abc", "n", "-").unwrap(), "ab-");
}

#[test]
fn first_group_tells_no_match_from_an_empty_group() {
    let domain = pattern(r"@(?<domain>[^.]+)?");
    assert_eq!(domain.first_group("a@b.c", "domain").unwrap().as_deref(), Some("b"));
    assert_eq!(domain.first_group("a@", "domain").unwrap().as_deref(), Some(""));
    assert_eq!(domain.first_group("a", "domain").unwrap(), None);
    assert_eq!(domain.first_group("a@b", "other").unwrap(), None);
    assert_eq!(domain.first_group("a@b", "0").unwrap().as_deref(), Some("@b"));
    assert!(domain.has_group("domain") && domain.has_group("1") && !domain.has_group("2"));
}

#[test]
fn case_is_ignored_on_request() {
    let smtp = Pattern::compile_ignoring_case("^smtp:É(x)\\1$").unwrap();
    assert!(smtp.is_match("SMTP:éXx").unwrap());
    assert!(!pattern("^smtp:").is_match("SMTP:").unwrap());
    assert!(Pattern::compile_ignoring_case("(?-i)a").unwrap().is_match("a").unwrap());
    assert!(!Pattern::compile_ignoring_case("(?-i)a").unwrap().is_match("A").unwrap());
}

#[test]
fn constructs_without_a_counterpart_are_named() {
    let refusal = |source: &str| Pattern::compile(source).unwrap_err().to_string();
    assert_eq!(refusal(r"(?<open-close>a)"), "not supported in a pattern: a balancing group");
    assert_eq!(refusal(r"(?<a>x)(?<-a>y)"), "not supported in a pattern: a balancing group");
    assert_eq!(
        refusal(r"(?<=(a+))b"),
        "not supported in a pattern: a group in a look-behind of variable length"
    );
    assert_eq!(refusal(&"(".repeat(1000)), "not supported in a pattern: groups nested this deep");
    let many = r"(?<n>a)\k<n>".repeat(1000);
    assert_eq!(refusal(&many), "not supported in a pattern: a pattern of this size");
    assert_eq!(refusal(r"(?:\w{1000}){1000}"), "not supported in a pattern: a pattern of this size");
}

#[test]
fn mistake_is_reported_where_it_is() {
    let error = Pattern::compile("ab[z-a]").unwrap_err();
    assert_eq!(error.to_string(), "invalid pattern at position 6: the bounds of a range are reversed");
    let error = Pattern::compile("é(").unwrap_err();
    assert_eq!(error.to_string(), "invalid pattern at position 3: missing closing parenthesis");
}

#[test]
fn catastrophic_patterns_end_soon() {
    let text = "a".repeat(5_000) + "!";
    let start = Instant::now();
    assert_eq!(pattern(r"^(a+)+$").is_match(&text), Ok(false));
    for source in [r"^(a|aa)+\1b", r"(a+)+\1b", r"^(?:(\w)|\w\w)*(?!a)\1\?$", r"^(?>a)(\w+\s?)*\1,$"] {
        let result = pattern(source).replace(&text, &Replacement::parse(""));
        assert_eq!(result, Err(PatternError::TooExpensive), "{source}");
    }
    assert!(start.elapsed() < Duration::from_secs(20));
}

#[test]
fn pattern_is_shared_between_threads() {
    fn shared<T: Send + Sync + Clone + 'static>(_: &T) {}
    shared(&pattern("a"));
    shared(&Replacement::parse("a"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn no_pattern_panics(
        source in r"([a-cx1]|\\[wdsbBAzZGpkxu0-9<>{}'-]|\(\?[<=!>:#(imnsx')-]{0,2}|[\[\](){}|?*+^$.,<>#-]|é|😀|[0-9]){0,14}",
        text in "[a-c1 \n<é😀]{0,10}",
        replacement in r"[$0-9{}a&`'+_]{0,6}",
    ) {
        if let Ok(pattern) = Pattern::compile(&source) {
            let _ = pattern.is_match(&text);
            let _ = pattern.replace(&text, &Replacement::parse(&replacement));
            let _ = pattern.replace_group(&text, "1", &replacement);
            let _ = pattern.first_group(&text, "1");
        }
    }

    #[test]
    fn escaped_text_matches_itself(text in "\\PC{1,12}") {
        let source: String = text.chars().map(|c| if c.is_alphanumeric() || c == '_' { c.to_string() } else { format!("\\{c}") }).collect();
        if let Ok(pattern) = Pattern::compile(&source) {
            prop_assert_eq!(pattern.replace(&text, &Replacement::parse("$$")).unwrap(), "$");
        }
    }
}
