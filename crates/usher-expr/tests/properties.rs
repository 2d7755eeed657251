//! What holds for every text and every seed.

use std::collections::BTreeMap;

use jiff::Timestamp;
use proptest::prelude::*;
use smol_str::SmolStr;
use usher_expr::{Context, Dialect, Outcome, Value, compile, parse, render};

fn evaluate_in(source: &str, dialect: Dialect, inputs: &[(&str, &str)], seed: u64) -> Value {
    let compiled = compile(source, dialect);
    let expression = compiled.expression.unwrap_or_else(|| panic!("{source}: {:?}", compiled.diagnostics));
    let inputs: BTreeMap<SmolStr, Value> =
        inputs.iter().map(|(name, text)| (SmolStr::new(name), Value::text(text))).collect();
    match expression.evaluate(&inputs, &Context::new(Timestamp::UNIX_EPOCH, seed)) {
        Ok(Outcome::Value(value)) => value,
        other => panic!("{source} with {inputs:?}: {other:?}"),
    }
}

fn evaluate(source: &str, input: &str) -> Value {
    evaluate_in(source, Dialect::Service, &[("x", input)], 0)
}

/// Sources that are often nearly right.
fn any_source() -> impl Strategy<Value = String> {
    let token = prop_oneof![
        Just("Join".to_owned()),
        Just("IIF".to_owned()),
        Just("Replace".to_owned()),
        Just("Switch".to_owned()),
        Just("With".to_owned()),
        Just("(".to_owned()),
        Just(")".to_owned()),
        Just(",".to_owned()),
        Just("&".to_owned()),
        Just("&HFF".to_owned()),
        Just("=".to_owned()),
        Just("<>".to_owned()),
        Just("\"".to_owned()),
        Just("\\".to_owned()),
        Just("[".to_owned()),
        Just("[mail]".to_owned()),
        Just("\"text\"".to_owned()),
        Just("$x".to_owned()),
        Just("%P%".to_owned()),
        Just("-1.5".to_owned()),
        Just(" ".to_owned()),
        "\\PC{0,3}",
    ];
    proptest::collection::vec(token, 0..40).prop_map(|tokens| tokens.concat())
}

/// Trees that are right, printed.
fn valid_source() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        "[a-zA-Z][a-zA-Z0-9_.:-]{0,12}".prop_map(|name| format!("[{name}]")),
        "[^\"\\\\]{0,12}".prop_map(|text| format!("\"{text}\"")),
        any::<i64>().prop_map(|number| number.to_string()),
        Just("\"a \\\\ \\\" \\d\"".to_owned()),
        Just("&HF7".to_owned()),
        Just("1.50".to_owned()),
        Just("IgnoreAttributeFlow".to_owned()),
        Just("%Domain%".to_owned()),
    ];
    leaf.prop_recursive(5, 60, 6, |inner| {
        prop_oneof![
            ("[A-Za-z]{1,8}", proptest::collection::vec(proptest::option::of(inner.clone()), 0..6)).prop_map(
                |(name, arguments)| {
                    let texts: Vec<String> = arguments.into_iter().map(Option::unwrap_or_default).collect();
                    format!("{name} (\n{} )", texts.join(" ,\t"))
                }
            ),
            (inner.clone(), inner.clone()).prop_map(|(left, right)| format!("F({left} <> {right})")),
            (inner.clone(), inner).prop_map(|(left, right)| format!("{left} & {right}")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn any_text_compiles_or_yields_diagnostics_inside_it(source in any_source()) {
        for dialect in Dialect::ALL {
            let compiled = compile(&source, *dialect);
            prop_assert_eq!(compiled.expression.is_none(), compiled.diagnostics.iter().any(|one| one.is_error()));
            for diagnostic in &compiled.diagnostics {
                prop_assert!(source.get(diagnostic.span.clone()).is_some(), "{:?}", diagnostic);
            }
            render(&source, "mapping", &compiled.diagnostics, false);
            if let Some(expression) = compiled.expression {
                let context = Context::new(Timestamp::UNIX_EPOCH, 1);
                let plain = expression.evaluate(&BTreeMap::new(), &context);
                let explained = expression.explain(&BTreeMap::new(), &context);
                prop_assert_eq!(plain, explained.outcome);
            }
        }
    }

    #[test]
    fn any_characters_parse(source in "\\PC{0,60}") {
        parse(&source, Dialect::Hybrid);
    }

    #[test]
    fn a_printed_tree_parses_to_the_same_tree(source in valid_source()) {
        let parsed = parse(&source, Dialect::Hybrid);
        prop_assert_eq!(&parsed.diagnostics, &Vec::new());
        let printed = parsed.tree.to_string();
        let again = parse(&printed, Dialect::Hybrid);
        prop_assert_eq!(&again.diagnostics, &Vec::new(), "{}", printed);
        prop_assert_eq!(again.tree, parsed.tree, "{}", printed);
    }

    #[test]
    fn some_functions_are_idempotent(text in "\\PC{0,20}") {
        for function in ["NormalizeDiacritics", "StripSpaces", "ToLower", "ToUpper", "RemoveDuplicates"] {
            let once = evaluate(&format!("{function}([x])"), &text);
            prop_assert_eq!(&evaluate(&format!("{function}({function}([x]))"), &text), &once, "{}", function);
        }
    }

    #[test]
    fn encodings_invert_each_other(text in "\\PC{0,20}") {
        for (to, from) in [("ConvertToUTF8Hex", "ConvertFromUTF8Hex"), ("ConvertToBase64", "ConvertFromBase64")] {
            let back = evaluate_in(&format!("{from}({to}([x]))"), Dialect::Hybrid, &[("x", &text)], 0);
            prop_assert_eq!(back, Value::text(&text));
        }
    }

    #[test]
    fn join_over_split_is_the_identity_on_trimmed_pieces(pieces in proptest::collection::vec("[a-z]{1,4}( [a-z]{1,4})?", 1..5)) {
        let text = pieces.join(";");
        prop_assert_eq!(evaluate(r#"Join(";", Split([x], ";"))"#, &text), Value::text(&text));
    }

    #[test]
    fn date_numbers_invert_on_whole_seconds(second in 0_i64..250_000_000_000) {
        let number = (second * 10_000_000).to_string();
        prop_assert_eq!(evaluate("CStr(NumFromDate(DateFromNum([x])))", &number), Value::text(&number));
    }

    #[test]
    fn left_and_the_rest_make_the_whole(text in "\\PC{0,12}", length in 0_usize..14) {
        let head = evaluate_in("Left([x], [n])", Dialect::Service, &[("x", &text), ("n", &length.to_string())], 0);
        prop_assert!(text.starts_with(head.to_text().as_str()));
        prop_assert!(head.to_text().encode_utf16().count() <= length);
    }

    #[test]
    fn random_texts_obey_their_minima(seed in any::<u64>()) {
        let draw = |source: &str| evaluate_in(source, Dialect::Service, &[], seed).to_text().to_string();
        let count = |text: &str, kind: fn(&char) -> bool| text.chars().filter(kind).count();
        let short = draw("RandomString(6,3,0,0,3)");
        prop_assert_eq!((short.len(), count(&short, char::is_ascii_digit), count(&short, char::is_ascii_lowercase)), (6, 3, 3));
        let long = draw("RandomString(10,2,2,2,1,\"?,\")");
        prop_assert_eq!(long.chars().count(), 10);
        prop_assert!(count(&long, char::is_ascii_digit) >= 2);
        prop_assert!(count(&long, char::is_ascii_punctuation) >= 2);
        prop_assert!(count(&long, char::is_ascii_uppercase) >= 2);
        prop_assert!(count(&long, char::is_ascii_lowercase) >= 1);
        prop_assert!(!long.contains(['?', ',']));
        let digits = draw("RandomString(3,3,0,0,0, )");
        prop_assert!(digits.len() == 3 && digits.bytes().all(|byte| byte.is_ascii_digit()));
    }

    #[test]
    fn guids_differ_within_an_evaluation_and_agree_between_equal_ones(seed in any::<u64>()) {
        let source = "Join(\" \", Guid(), Guid())";
        let text = evaluate_in(source, Dialect::Service, &[], seed).to_text();
        let (first, second) = text.split_once(' ').unwrap();
        prop_assert_ne!(first, second);
        for guid in [first, second] {
            let parsed = uuid::Uuid::parse_str(guid).unwrap();
            prop_assert_eq!(parsed.get_version_num(), 4);
            prop_assert_eq!(parsed.to_string(), guid);
        }
        prop_assert_eq!(evaluate_in(source, Dialect::Service, &[], seed).to_text(), text);
        prop_assert_ne!(evaluate_in(source, Dialect::Service, &[], seed.wrapping_add(1)).to_text(), evaluate_in(source, Dialect::Service, &[], seed).to_text());
    }
}

#[test]
fn random_numbers_stay_in_their_interval() {
    for seed in 0..200 {
        let Value::Integer(number) = evaluate_in("RandomNum(-3, 3)", Dialect::Hybrid, &[], seed) else {
            panic!()
        };
        assert!((-3..=3).contains(&number));
    }
}

#[test]
fn a_value_of_a_list_draws_anew() {
    let compiled = compile("Select($x, Split(\"a,b\", \",\"), Guid())", Dialect::Hybrid).expression.unwrap();
    let outcome = compiled.evaluate(&BTreeMap::new(), &Context::new(Timestamp::UNIX_EPOCH, 7)).unwrap();
    let Outcome::Value(Value::List(guids)) = outcome else { panic!() };
    assert_ne!(guids[0], guids[1]);
}

#[test]
fn depth_and_length_are_bounded() {
    let deep = format!("{}[a]{}", "ToLower(".repeat(3_000 / 9), ")".repeat(3_000 / 9));
    let compiled = compile(&deep, Dialect::Service);
    assert_eq!(compiled.diagnostics[0].code, usher_expr::codes::TOO_DEEP);
    let opened = compile(&"(".repeat(9_999), Dialect::Service);
    assert!(opened.expression.is_none());
    let allowed = format!("{}[a]{}", "ToLower(".repeat(100), ")".repeat(100));
    assert!(compile(&allowed, Dialect::Service).expression.is_some());
    let long = format!("\"{}\"", "x".repeat(9_999));
    assert_eq!(compile(&long, Dialect::Service).diagnostics[0].code, usher_expr::codes::TOO_LONG);
    let exact = format!("\"{}\"", "x".repeat(9_998));
    assert!(compile(&exact, Dialect::Service).expression.is_some());
}

#[test]
fn text_cannot_grow_without_bound() {
    let mut source = "\"aaaaaaaaaa\"".to_owned();
    for _ in 0..60 {
        source = format!("Replace({source}, \"a\", , , \"aaaaaaaaaa\", , )");
    }
    let expression = compile(&source, Dialect::Service).expression.unwrap();
    let error = expression.evaluate(&BTreeMap::new(), &Context::new(Timestamp::UNIX_EPOCH, 0)).unwrap_err();
    assert!(error.message.contains("longer than"), "{error}");
}
