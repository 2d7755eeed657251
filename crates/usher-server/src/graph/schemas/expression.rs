//! `parseExpression`: reads a mapping expression, and evaluates it over an object when one is given.

use serde_json::{Map, Value as Json, json};
use usher_core::AttributeSet;
use usher_core::ports::Clock;
use usher_expr::{Context, Dialect, Outcome, Value, compile, parse as read};

use super::exists;
use crate::call::{Answer, Call};
use crate::errors::Refusal;

/// Parses, and evaluates. 200 also for an expression that is wrong: the answer says so.
pub async fn parse(call: Call) -> Result<Answer, Refusal> {
    exists(&call).await?;
    let body = call.object()?;
    let Some(text) = body.get("expression").and_then(Json::as_str) else {
        return Err(Refusal::bad_request("the body needs 'expression', a text"));
    };
    let mut answer = json!({
        "@odata.context": call.context("microsoft.graph.parseExpressionResponse"),
        "error": null,
        "evaluationSucceeded": false,
        "evaluationResult": [],
        "parsingSucceeded": false,
        "parsedExpression": null,
    });
    let compilation = compile(text, Dialect::Service);
    let Some(expression) = compilation.expression else {
        let details: Vec<Json> = compilation
            .diagnostics
            .iter()
            .filter(|diagnostic| diagnostic.is_error())
            .map(|one| json!({ "code": one.code, "message": one.message, "target": &text[one.span.clone()] }))
            .collect();
        let message = details.first().and_then(|one| one["message"].as_str()).unwrap_or_default().to_owned();
        answer["error"] = error("ExpressionParsingFailed", &message, details);
        return Ok(Answer::ok(answer));
    };
    answer["parsingSucceeded"] = json!(true);
    answer["parsedExpression"] = read(text, Dialect::Service).tree.to_source_json(Dialect::Service);
    let input = match body.get("testInputObject") {
        None | Some(Json::Null) => return Ok(Answer::ok(answer)),
        Some(input) => attributes(input)?,
    };
    let clock: &dyn Clock = call.state.engine.clock.as_ref();
    let context = Context::new(clock.now(), clock.guid().as_u64_pair().0);
    match expression.evaluate(&input, &context) {
        Ok(outcome) => {
            answer["evaluationSucceeded"] = json!(true);
            answer["evaluationResult"] = texts(&outcome).into();
        }
        Err(failure) => answer["error"] = error("ExpressionEvaluationFailed", &failure.message, Vec::new()),
    }
    Ok(Answer::ok(answer))
}

fn error(code: &str, message: &str, details: Vec<Json>) -> Json {
    json!({ "code": code, "message": message, "target": "expression", "details": details, "innerError": null })
}

/// What came out: nothing for null, one text, or the texts of a list.
fn texts(outcome: &Outcome) -> Vec<String> {
    let all = |values: &[Value]| values.iter().map(|value| value.to_text().to_string()).collect();
    match outcome {
        Outcome::Value(Value::Null) | Outcome::IgnoreAttributeFlow | Outcome::IgnoreObjectFlow => Vec::new(),
        Outcome::Value(Value::List(values)) => all(values),
        Outcome::Value(value) => vec![value.to_text().to_string()],
        Outcome::Candidates(values) => all(values),
    }
}

/// The attributes of an `expressionInputObject`.
fn attributes(input: &Json) -> Result<AttributeSet, Refusal> {
    let bad = || {
        Refusal::bad_request(
            "'testInputObject' is an object with 'properties', a list of objects with 'key' and 'value'",
        )
    };
    let mut set = AttributeSet::default();
    let members: &Map<String, Json> = input.as_object().ok_or_else(bad)?;
    let properties = match members.get("properties") {
        None | Some(Json::Null) => return Ok(set),
        Some(properties) => properties.as_array().ok_or_else(bad)?,
    };
    for property in properties {
        let key = property.get("key").and_then(Json::as_str).ok_or_else(bad)?;
        set.set(key, Value::from_json(property.get("value").unwrap_or(&Json::Null)));
    }
    Ok(set)
}
