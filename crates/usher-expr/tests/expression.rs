//! What callers rely on: attributes, outcomes, redaction, compatibility, and evaluation from many threads.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use smol_str::SmolStr;
use usher_expr::{
    Context, Dialect, ErrorKind, EvaluationError, Expression, Finding, Outcome, Value, compile, functions,
};

fn expression(source: &str, dialect: Dialect) -> Expression {
    let compiled = compile(source, dialect);
    compiled.expression.unwrap_or_else(|| panic!("{:?}", compiled.diagnostics))
}

fn evaluate(source: &str, inputs: &[(&str, Value)]) -> Result<Outcome, EvaluationError> {
    evaluate_in(&context(), source, inputs)
}

fn evaluate_in(
    context: &Context,
    source: &str,
    inputs: &[(&str, Value)],
) -> Result<Outcome, EvaluationError> {
    let inputs: BTreeMap<SmolStr, Value> =
        inputs.iter().map(|(name, value)| (SmolStr::new(name), value.clone())).collect();
    expression(source, Dialect::CloudSync).evaluate(&inputs, context)
}

fn context() -> Context {
    Context::new(Timestamp::UNIX_EPOCH, 0)
}

fn binary(bytes: &[u8]) -> Value {
    Value::Binary(Arc::from(bytes))
}

#[test]
fn attributes_are_listed_once_in_the_order_of_mention() {
    let compiled = expression("Join(\" \", [b], [a], ToLower([b]), [c d:e.f-g])", Dialect::Service);
    assert_eq!(compiled.attributes(), ["b", "a", "c d:e.f-g"]);
}

#[test]
fn attributes_are_found_exactly_and_then_without_regard_to_case() {
    let inputs = [("mail", Value::text("lower")), ("Mail", Value::text("capital"))];
    assert_eq!(evaluate("[Mail]", &inputs), Ok(Outcome::Value(Value::text("capital"))));
    assert_eq!(evaluate("[MAIL]", &inputs), Ok(Outcome::Value(Value::text("capital"))));
    assert_eq!(evaluate("[MAIL]", &inputs[..1]), Ok(Outcome::Value(Value::text("lower"))));
}

#[test]
fn bytes_pass_through_choices_unchanged() {
    let guid = binary(&[1, 2, 3]);
    let source = "IIF(IsPresent([consistency]), [consistency], [guid])";
    assert_eq!(evaluate(source, &[("guid", guid.clone())]), Ok(Outcome::Value(guid)));
}

#[test]
fn bytes_print_as_base64_in_text() {
    let inputs = [("guid", binary(&[1, 2, 3]))];
    assert_eq!(evaluate("Append([guid], \"!\")", &inputs), Ok(Outcome::Value(Value::text("AQID!"))));
    assert_eq!(evaluate("ConvertToBase64([guid])", &inputs), Ok(Outcome::Value(Value::text("AQID"))));
    assert_eq!(evaluate("ConvertToUTF8Hex([guid])", &inputs), Ok(Outcome::Value(Value::text("010203"))));
}

#[test]
fn references_are_mapped_directly_and_refused_by_text_functions() {
    let inputs = [("manager", Value::Reference("CN=Bo,DC=example".into()))];
    assert_eq!(evaluate("[manager]", &inputs), Ok(Outcome::Value(inputs[0].1.clone())));
    assert_eq!(evaluate("CStr([manager])", &inputs), Ok(Outcome::Value(Value::text("CN=Bo,DC=example"))));
    assert_eq!(evaluate("DNComponent([manager], 1)", &inputs), Ok(Outcome::Value(Value::text("Bo"))));
    for source in ["Append([manager], \"x\")", "Switch([manager], \"d\", \"k\", \"v\")", "ToLower([manager])"]
    {
        assert!(evaluate(source, &inputs).is_err(), "{source}");
    }
}

#[test]
fn the_compatibility_switch_makes_conditions_over_nothing_false() {
    let sources = [
        ("IIF([x] = \"\", \"yes\", \"no\")", "yes"),
        ("IIF(IsNullOrEmpty([x]), \"yes\", \"no\")", "yes"),
        ("IIF([x] <> \"a\", \"yes\", \"no\")", "yes"),
        ("IIF(IsPresent([x]), \"yes\", \"no\")", "no"),
    ];
    let mut compatible = context();
    compatible.empty_condition_is_false = true;
    for (source, plain) in sources {
        assert_eq!(evaluate(source, &[]), Ok(Outcome::Value(Value::text(plain))), "{source}");
        assert_eq!(evaluate_in(&compatible, source, &[]), Ok(Outcome::Value(Value::text("no"))), "{source}");
    }
    let given = [("x", Value::text("b"))];
    assert_eq!(evaluate_in(&compatible, sources[2].0, &given), Ok(Outcome::Value(Value::text("yes"))));
}

#[test]
fn errors_tell_a_failure_from_a_raised_text() {
    let raised = evaluate("IIF(IsPresent([x]), [x], Error(\"x is missing\"))", &[]).unwrap_err();
    assert_eq!((raised.kind, raised.message.as_str()), (ErrorKind::Raised, "x is missing"));
    let failed = evaluate("Join(\"\", \"a\", CDate([x]))", &[]).unwrap_err();
    assert_eq!((failed.kind, failed.span), (ErrorKind::Failed, 20..23));
}

#[test]
fn redaction_is_known_before_evaluation_and_hides_messages() {
    let hidden = expression("Append(\"a\", Redact(CDate([x])))", Dialect::Service);
    assert!(hidden.is_redacted());
    assert!(!expression("Append(\"a\", [x])", Dialect::Service).is_redacted());
    let inputs = BTreeMap::from([(SmolStr::new("x"), Value::text("hunter2"))]);
    let error = hidden.evaluate(&inputs, &context()).unwrap_err();
    assert!(!error.to_string().contains("hunter2"), "{error}");
    let explained = hidden.explain(&inputs, &context());
    assert!(!explained.tree.to_string().contains("hunter2"), "{}", explained.tree);
}

#[test]
fn explanations_of_redacted_values_show_no_value() {
    let hidden = expression("Redact([x])", Dialect::Service);
    let inputs = BTreeMap::from([(SmolStr::new("x"), Value::text("hunter2"))]);
    let explained = hidden.explain(&inputs, &context());
    assert_eq!(explained.outcome, Ok(Outcome::Value(Value::text("hunter2"))));
    assert_eq!(explained.tree.finding, Finding::Redacted);
}

#[test]
fn candidates_come_in_order_and_the_first_free_one_is_found() {
    let unique = expression("SelectUniqueValue([a], \"b\", \"c\")", Dialect::Service);
    assert!(unique.selects_unique_value());
    let outcome = unique.evaluate(&BTreeMap::new(), &context()).unwrap();
    assert_eq!(outcome, Outcome::Candidates(vec![Value::text("b"), Value::text("c")]));
    assert_eq!(outcome.first_free(|value| *value == Value::text("b")), Some(&Value::text("c")));
    assert_eq!(outcome.first_free(|_| true), None);
}

#[test]
fn one_expression_evaluates_from_many_threads() {
    let shared =
        expression("Replace(Append([x], Guid()), , \"[0-9a-f-]{36}$\", , \"!\", , )", Dialect::Service);
    let context = context();
    std::thread::scope(|scope| {
        for worker in 0..4 {
            let (shared, context) = (shared.clone(), &context);
            scope.spawn(move || {
                let inputs = BTreeMap::from([(SmolStr::new("x"), Value::text(worker.to_string()))]);
                let outcome = shared.evaluate(&inputs, context);
                assert_eq!(outcome, Ok(Outcome::Value(Value::text(format!("{worker}!")))));
            });
        }
    });
}

#[test]
fn work_is_bounded() {
    let list = Value::list((0..60).map(Value::Integer));
    let mut source = "$v0".to_owned();
    for depth in 0..12 {
        source = format!("Count(Select($v{depth}, [m], {source}))");
    }
    let inputs = BTreeMap::from([(SmolStr::new("m"), list)]);
    let error = expression(&source, Dialect::Hybrid).evaluate(&inputs, &context()).unwrap_err();
    assert_eq!(error.message, "the expression needs too many steps");
}

#[test]
fn a_deep_expression_evaluates_and_explains() {
    let source = format!("{}[x]{}", "ToLower(".repeat(100), ")".repeat(100));
    let deep = expression(&source, Dialect::Service);
    let inputs = BTreeMap::from([(SmolStr::new("x"), Value::text("A"))]);
    assert_eq!(deep.explain(&inputs, &context()).outcome, Ok(Outcome::Value(Value::text("a"))));
}

#[test]
fn values_survive_the_way_through_json() {
    let json = serde_json::json!(["a", 7, true, null, ["b"], {"id": "x"}]);
    assert_eq!(Value::from_json(&json).to_json(), json);
    assert_eq!(binary(&[1, 2, 3]).to_json(), serde_json::json!("AQID"));
    assert_eq!(Value::from_json(&serde_json::json!(1.5)).to_text(), "1.5");
}

#[test]
fn the_table_answers_for_every_dialect() {
    assert_eq!(functions::find("Join", Dialect::Service).unwrap().signature(), "Join(separator, source…)");
    assert_eq!(functions::find("Join", Dialect::Hybrid).unwrap().signature(), "Join(attribute, delimiter?)");
    assert!(functions::find("join", Dialect::Service).is_none());
    let params = functions::find("FormatDateTime", Dialect::Service).unwrap().params_for(3);
    assert_eq!(
        params.iter().map(|param| param.graph_key()).collect::<Vec<_>>(),
        ["source", "inputFormat", "outputFormat"]
    );
}
