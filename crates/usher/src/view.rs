//! How an outcome is shown to people: each step, what it found, attributes before and after, the reason.

use owo_colors::OwoColorize;
use serde_json::{Map, Value};

use crate::lookup::text;

/// Text that came from a directory, in one line: a line break or a control character in it must not look like ours.
pub fn line(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut line, letter| {
        if is_control(letter) {
            line.extend(letter.escape_default());
        } else {
            line.push(letter);
        }
        line
    })
}

/// What moves the cursor, ends a line, or turns the direction of what follows.
fn is_control(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A JSON document for people, moved to the right. What is escaped in it means the same.
pub fn document(document: &Value, by: &str) -> String {
    indent(&escaped(&format!("{document:#}")), by)
}

/// JSON in which no control character stands as such; they stand in texts only.
pub fn escaped(json: &str) -> String {
    json.chars().fold(String::with_capacity(json.len()), |mut text, letter| {
        if letter != '\n' && is_control(letter) {
            text.push_str(&format!("\\u{:04x}", u32::from(letter)));
        } else {
            text.push(letter);
        }
        text
    })
}

/// An expression as somebody wrote it, in one line.
pub fn expression(text: &str) -> String {
    line(&text.replace(['\n', '\r', '\t'], " "))
}

/// The same for every text of a document.
fn lines(document: &Value) -> Value {
    match document {
        Value::String(text) => Value::String(line(text)),
        Value::Array(all) => all.iter().map(lines).collect(),
        Value::Object(all) => all.iter().map(|(name, value)| (line(name), lines(value))).collect(),
        other => other.clone(),
    }
}

/// A request that was sent, and the status of its answer, in a line.
pub fn exchange(exchange: &Value) -> String {
    let (method, path) = (line(text(exchange, "method")), line(text(exchange, "path")));
    match exchange["answer"]["status"].as_u64() {
        Some(status) => format!("{method} {path} → {status}"),
        None => format!("{method} {path}"),
    }
}

/// Details that the default view shows; the rest is in `--output json`.
const TELLING: &[&str] = &[
    "Active in the source system",
    "Assigned to the application",
    "User has the required role",
    "Group has the required role",
    "Scoping filter evaluation passed",
    "ScopeEvaluationResult",
    "SkipReason",
    "PropertyName",
    "ErrorCode",
    "ErrorMessage",
    "AdditionalDetails",
];

/// Prints the answer of an on-demand request: `key` and `value` as JSON documents.
pub fn print_answer(key: &Value, value: &Value) {
    anstream::print!("{}", answer(key, value));
}

/// Prints an event of the provisioning log.
pub fn print_event(event: &Value) {
    let event = &lines(event);
    let name = text(&event["sourceIdentity"], "displayName");
    let action = text(event, "provisioningAction");
    let status = text(&event["provisioningStatusInfo"], "status");
    anstream::println!(
        "{} {} ({action}) {}",
        text(&event["sourceIdentity"], "identityType"),
        name.bold(),
        text(event, "activityDateTime").dimmed()
    );
    anstream::println!("{}", result(status));
    anstream::print!("{}", body(event));
    if let Some(error) = event["provisioningStatusInfo"]["errorInformation"].as_object() {
        anstream::print!("{}", explanation(error));
    }
}

/// The answer as text, with terminal colours.
pub fn answer(key: &Value, value: &Value) -> String {
    let mut out = String::new();
    for linked in value["linkedObjects"].as_array().into_iter().flatten() {
        out.push_str(&one(linked, None));
        out.push('\n');
    }
    out.push_str(&one(value, Some(key)));
    let requests = value["requests"].as_array().map(Vec::as_slice).unwrap_or_default();
    if !requests.is_empty() {
        out.push_str(&format!("\n  {}\n", "requests that would be sent".bold()));
        for request in requests {
            out.push_str(&format!(
                "  {} {}\n",
                line(text(request, "method")).bold(),
                line(text(request, "path"))
            ));
            if let Some(body) = request.get("body").filter(|body| !body.is_null()) {
                out.push_str(&document(body, "    "));
            }
        }
    }
    out
}

fn one(value: &Value, key: Option<&Value>) -> String {
    let (value, key) = (&lines(value), key.map(lines));
    let key = key.as_ref();
    let status = key
        .map(|key| text(key, "result"))
        .filter(|result| !result.is_empty())
        .unwrap_or_else(|| text(&value["statusInfo"], "status"));
    let mut out = format!(
        "{} {} → {}: {}\n",
        text(&value["sourceIdentity"], "type"),
        text(value, "reportableIdentifier").bold(),
        text(&value["targetSystem"]["details"], "ServicePrincipalDisplayName"),
        result(status),
    );
    out.push_str(&body(value));
    let details = key.map(|key| &key["details"]).and_then(Value::as_object);
    let code =
        details.and_then(|details| details.get("errorCode")).and_then(Value::as_str).unwrap_or_default();
    if let Some(info) = value["statusInfo"].as_object().filter(|info| info.contains_key("errorCode")) {
        let is_skip = status.eq_ignore_ascii_case("skipped");
        out.push_str(&if is_skip { skip_code(info) } else { explanation(info) });
    } else if !code.is_empty() {
        out.push_str(&explanation(details.expect("the code was found in it")));
    }
    out
}

fn result(status: &str) -> String {
    match status.to_ascii_lowercase().as_str() {
        "success" => "success".green().bold().to_string(),
        "skipped" => "skipped".yellow().bold().to_string(),
        "warning" => "success, with warnings".yellow().bold().to_string(),
        "failure" => "failure".red().bold().to_string(),
        other => other.to_owned(),
    }
}

/// The steps of an outcome, and its attributes before and after.
pub fn body(value: &Value) -> String {
    let value = &lines(value);
    let mut out = String::new();
    for step in value["provisioningSteps"].as_array().into_iter().flatten() {
        let kind = match text(step, "type") {
            "" => text(step, "provisioningStepType"),
            kind => kind,
        };
        let status = text(step, "status").to_ascii_lowercase();
        let mark = match status.as_str() {
            "success" => "✓".green().to_string(),
            "failure" => "✗".red().to_string(),
            "skipped" => "–".yellow().to_string(),
            _ => "!".yellow().to_string(),
        };
        // The published sentence has two blanks, because it leaves the object's type empty.
        let description = text(step, "description").replace("Retrieved  '", "Retrieved '");
        out.push_str(&format!("  {mark} {:20} {description}\n", lower_first(kind)));
        // A skip repeats what the scoping step said, and the reason stands below.
        let is_skip = text(step, "name") == "EntrySynchronizationSkip";
        if let Some(details) = step["details"].as_object().filter(|_| !is_skip) {
            for (name, detail) in details.iter().filter(|(name, _)| TELLING.contains(&name.as_str())) {
                let shown = detail.as_str().unwrap_or_default();
                if !shown.is_empty() && shown != "{}" {
                    out.push_str(&format!(
                        "    {} {} {shown}\n",
                        " ".repeat(20),
                        format!("{name}:").dimmed()
                    ));
                }
            }
        }
    }
    out.push_str(&properties(value));
    out
}

fn properties(value: &Value) -> String {
    let rows: Vec<(&str, &str, &str)> = value["modifiedProperties"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|row| (text(row, "displayName"), text(row, "oldValue"), text(row, "newValue")))
        .collect();
    if rows.is_empty() {
        return String::new();
    }
    let longest = |pick: fn(&(&str, &str, &str)) -> usize, least: usize| {
        rows.iter().map(pick).max().unwrap_or(0).clamp(least, 90)
    };
    let (name, old) = (longest(|row| row.0.chars().count(), 9), longest(|row| row.1.chars().count(), 6));
    let mut out = format!(
        "\n    {}  {}  {}\n",
        format!("{:name$}", "attribute").dimmed(),
        format!("{:old$}", "before").dimmed(),
        "after".dimmed()
    );
    for (attribute, before, after) in &rows {
        out.push_str(&format!("    {attribute:name$}  {before:old$}  {}\n", after.green()));
    }
    out
}

/// The reason of a skip is the sentence of its last step: only the code is missing there.
fn skip_code(info: &Map<String, Value>) -> String {
    let code = info.get("errorCode").and_then(Value::as_str).unwrap_or_default();
    format!("\n  {} {code}\n", "reason:".bold())
}

fn explanation(info: &Map<String, Value>) -> String {
    let part = |name: &str| info.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let mut out = String::new();
    if let Some(code) = part("errorCode") {
        out.push_str(&format!("\n  {} {code}\n", "reason:".bold()));
    }
    for name in ["errorMessage", "reason", "additionalDetails"] {
        if let Some(text) = part(name) {
            out.push_str(&format!("  {text}\n"));
        }
    }
    if let Some(action) = part("recommendedAction") {
        out.push_str(&format!("  {} {action}\n", "help:".cyan()));
    }
    out
}

fn lower_first(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map(|first| first.to_lowercase().chain(characters).collect()).unwrap_or_default()
}

/// A text with each line moved to the right.
pub fn indent(text: &str, by: &str) -> String {
    text.lines().map(|line| format!("{by}{line}\n")).collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::json;

    use super::*;

    /// What somebody could write into a name: a line like ours, a title for the terminal, colours, another direction.
    pub(crate) fn hostile(what: &str) -> String {
        format!("{what}\nPlan for hr: 0\r\u{1b}]0;evil\u{7}\u{9b}31m\u{202e}\u{2028}end")
    }

    /// Only our own colours and line ends are in a text.
    pub(crate) fn is_harmless(what: &str, shown: &str) {
        assert!(shown.contains("evil"), "{what} shows it: {shown:?}");
        assert!(!shown.lines().any(|line| line.trim_start().starts_with("Plan for hr")), "{what}: {shown:?}");
        for bad in ["\r", "\u{1b}]", "\u{7}", "\u{9b}", "\u{202e}", "\u{2028}"] {
            assert!(!shown.contains(bad), "{what} has {bad:?}: {shown:?}");
        }
    }

    #[test]
    fn events_and_answers_of_others_are_harmless() {
        let info =
            json!({ "errorCode": hostile("code"), "errorMessage": hostile("message"), "status": "failure" });
        let value = json!({
            "reportableIdentifier": hostile("reportable"), "sourceIdentity": { "type": hostile("User") },
            "targetSystem": { "details": { "ServicePrincipalDisplayName": hostile("portal") } },
            "statusInfo": info,
            "requests": [{ "method": hostile("POST"), "path": hostile("/x"), "body": { "a": hostile("b") } }],
        });
        is_harmless("an answer", &answer(&json!({ "result": hostile("failure") }), &value));
        let told = json!({ "method": hostile("POST"), "path": hostile("/x"), "answer": { "status": 200 } });
        is_harmless("an exchange", &exchange(&told));
        is_harmless("a document", &document(&json!({ hostile("a"): [hostile("b")] }), "  "));
        is_harmless("an expression", &expression(&hostile("Join")));
    }

    #[test]
    fn what_comes_from_a_directory_cannot_look_like_our_own_lines() {
        assert_eq!(line("Ann\n\nPlan for hr: 0\u{1b}[31m"), "Ann\\n\\nPlan for hr: 0\\u{1b}[31m");
        assert_eq!(line("Zoë O'Brien \\ 北"), "Zoë O'Brien \\ 北");
        let value = json!({ "modifiedProperties": [
            { "displayName": "name", "oldValue": null, "newValue": "a\nPlan for hr-portal: 0 to create" },
        ]});
        let shown = body(&value);
        assert!(!shown.lines().any(|line| line.starts_with("Plan for")), "{shown}");
    }
}
