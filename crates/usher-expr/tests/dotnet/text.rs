//! Casing, title case, white space and UTF-16 positions.

use super::vectors::check;
use usher_expr::dotnet::text::{
    UnknownCulture, title_case, to_lower, to_upper, trim, trim_end, trim_start, utf16_len, utf16_slice,
};

const VECTORS: &str = include_str!("text.jsonl");

#[test]
fn letters_change_case_one_to_one_as_in_dotnet() {
    check(VECTORS, Some("letters"), 1, |vector| {
        let letters = vector.text("letters");
        let lower = to_lower(letters, None).unwrap();
        let upper = to_upper(letters, None).unwrap();
        let pairs = |lower: &str, upper: &str| {
            let mut pairs = String::new();
            for ((letter, lower), upper) in letters.chars().zip(lower.chars()).zip(upper.chars()) {
                pairs.push_str(&format!("\n{:04X} {letter} {lower} {upper}", u32::from(letter)));
            }
            pairs
        };
        assert_eq!(letters.chars().count(), upper.chars().count());
        let expected = pairs(vector.text("lower"), vector.text("upper"));
        let actual = pairs(&lower, &upper);
        let differing = |all: &str, other: &str| {
            let lines = all.lines().zip(other.lines()).filter(|(line, other)| line != other);
            lines.map(|(line, _)| line.to_owned()).collect::<Vec<_>>().join("\n")
        };
        (differing(&expected, &actual), differing(&actual, &expected))
    });
}

#[test]
fn cultures_differ_in_the_letter_i_only() {
    check(VECTORS, Some("culture"), 20, |vector| {
        let culture = Some(vector.text("culture"));
        let text = vector.text("text");
        let actual = format!("{} {}", to_lower(text, culture).unwrap(), to_upper(text, culture).unwrap());
        (format!("{} {}", vector.text("lower"), vector.text("upper")), actual)
    });
}

#[test]
fn title_case_agrees_with_dotnet() {
    check(VECTORS, Some("title"), 35, |vector| {
        (vector.text("title").to_owned(), title_case(vector.text("text")).to_string())
    });
}

#[test]
fn white_space_agrees_with_dotnet() {
    check(VECTORS, Some("white"), 1, |vector| {
        let white: String = ('\0'..='\u{FFFF}').filter(|c| trim(&c.to_string()).is_empty()).collect();
        (vector.text("characters").to_owned(), white)
    });
    assert_eq!(trim_start("\u{a0} a "), "a ");
    assert_eq!(trim_end(" a\u{3000}\n"), " a");
    assert_eq!(trim("\u{200b}a"), "\u{200b}a");
}

#[test]
fn lengths_and_positions_count_code_units() {
    check(VECTORS, Some("length"), 4, |vector| {
        (vector.number("length").to_string(), utf16_len(vector.text("text")).to_string())
    });
    check(VECTORS, Some("slice"), 8, |vector| {
        let start = usize::try_from(vector.number("start")).unwrap();
        let length = usize::try_from(vector.number("length")).unwrap();
        (vector.text("slice").to_owned(), utf16_slice(vector.text("text"), start, length).to_owned())
    });
}

#[test]
fn slice_never_splits_a_surrogate_pair() {
    let text = "a😀b";
    assert_eq!(utf16_slice(text, 0, 2), "a");
    assert_eq!(utf16_slice(text, 2, 2), "😀b");
    assert_eq!(utf16_slice(text, 2, 1), "😀");
    assert_eq!(utf16_slice(text, 9, 9), "");
    assert_eq!(utf16_slice(text, 1, usize::MAX), "😀b");
}

#[test]
fn letters_without_a_single_partner_stay() {
    assert_eq!(to_upper("ßŉǰﬁ", None).unwrap(), "ßŉǰﬁ");
    assert_eq!(to_upper("ᾳᾀ", None).unwrap(), "ᾼᾈ");
    assert_eq!(to_lower("İI", None).unwrap(), "İi");
    assert_eq!(to_upper("ıi", Some("")).unwrap(), "ıI");
}

#[test]
fn culture_name_must_have_the_form_of_one() {
    for name in ["en", "en-US", "sr-Latn-RS", "es-419", "zh-CHS", "ca-ES-valencia", "AZ"] {
        assert!(to_lower("a", Some(name)).is_ok(), "{name}");
    }
    for name in ["english", "e", "en_US", "en-", "-", "12", "en-U", "en-US-"] {
        assert_eq!(to_upper("a", Some(name)), Err(UnknownCulture(name.to_owned())));
    }
}
