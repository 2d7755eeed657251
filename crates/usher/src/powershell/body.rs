//! From bound values to what goes over the wire: the JSON body and the path.

use jiff::tz::TimeZone;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};
use usher_server::{Form, Type};

use super::cmdlets::Route;
use super::json::to_json;
use super::parameters::{Parameter, forms};
use super::value::{PsValue, Table};

/// Types whose members are all known: what else stands there is left out, as in the original.
const CLOSED: [&str; 2] = ["synchronizationJobApplicationParameters", "synchronizationJobSubject"];

/// A value that does not fit where it stands.
#[derive(Debug, PartialEq, thiserror::Error)]
#[error("Cannot convert value \"{value}\" to type \"{wanted}\" for '{path}'.")]
pub struct BodyError {
    /// The value, as text.
    pub value: String,
    /// What is wanted.
    pub wanted: String,
    /// Where in the body.
    pub path: String,
}

/// A body, and what was left out of it.
#[derive(Debug, PartialEq)]
pub struct Body {
    /// The JSON.
    pub json: Value,
    /// A sentence for each key that has no place in its type.
    pub dropped: Vec<String>,
}

/// The body of a set with `-BodyParameter`.
pub fn whole_body(of: &'static Type, value: &PsValue, zone: &TimeZone) -> Result<Body, BodyError> {
    let mut writer = Writer { zone, dropped: Vec::new() };
    let json = writer.members(of, value, "")?;
    Ok(Body { json, dropped: writer.dropped })
}

/// The body of a set with a parameter for each member, given with its value, and `-AdditionalProperties`.
pub fn expanded_body(
    of: &'static Type,
    members: Vec<(&Parameter, PsValue)>,
    additional: Option<&PsValue>,
    zone: &TimeZone,
) -> Result<Body, BodyError> {
    let mut root = Table::new(super::value::TableKind::Hash);
    let mut dropped = Vec::new();
    let mut names = Vec::new();
    for (parameter, value) in members {
        if value == PsValue::Null {
            continue;
        }
        let value = match (parameter.name, &value) {
            ("DirectoryObjectId", PsValue::Text(id))
                if parameter.member == "@odata.id" && !id.contains('/') =>
            {
                PsValue::Text(format!("https://graph.microsoft.com/v1.0/directoryObjects/{id}"))
            }
            _ => value,
        };
        names.push(parameter.name);
        root.insert(parameter.member, value);
    }
    if let Some(PsValue::Table(table)) = additional {
        for (key, value) in table.iter() {
            if root.contains(key) {
                let name = names.iter().find(|name| name.eq_ignore_ascii_case(key)).copied().unwrap_or(key);
                dropped
                    .push(format!("'{key}' of -AdditionalProperties gives way to -{name} and is not sent."));
            } else {
                root.insert(key, value.clone());
            }
        }
    }
    let mut body = whole_body(of, &PsValue::Table(root), zone)?;
    body.dropped.extend(dropped);
    Ok(body)
}

/// What remains unescaped in a path or query: what RFC 3986 leaves so everywhere.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A text escaped for a path or a query.
pub fn escaped(text: &str) -> String {
    utf8_percent_encode(text, ESCAPED).to_string()
}

/// The path below the version, ids escaped.
pub fn path(route: &Route, ids: &[String]) -> String {
    let mut path = route.path.to_owned();
    for (name, id) in route.ids.iter().zip(ids) {
        // A key in quotes doubles those in it.
        let id = if *name == "AppId" { id.replace('\'', "''") } else { id.clone() };
        path = path.replace(&format!("{{{name}}}"), &escaped(&id));
    }
    path
}

struct Writer<'a> {
    zone: &'a TimeZone,
    dropped: Vec<String>,
}

impl Writer<'_> {
    fn members(&mut self, of: &'static Type, value: &PsValue, path: &str) -> Result<Value, BodyError> {
        let PsValue::Table(table) = value else { return Err(misfit(value, of.name, path)) };
        let known = forms(of);
        let mut json = Map::new();
        for (name, form) in &known {
            let below = if path.is_empty() { (*name).to_owned() } else { format!("{path}.{name}") };
            if let Some(value) = table.get(name)
                && let Some(written) = self.value(form, value, &below)?
            {
                json.insert((*name).to_owned(), written);
            }
        }
        for (key, value) in table.iter() {
            if known.iter().any(|(name, _)| name.eq_ignore_ascii_case(key)) || *value == PsValue::Null {
                continue;
            }
            if CLOSED.contains(&of.name) {
                self.dropped.push(format!("'{key}' has no place in a {} ({path}) and is not sent.", of.name));
            } else {
                json.insert(key.to_owned(), to_json(value, self.zone));
            }
        }
        Ok(Value::Object(json))
    }

    fn value(&mut self, form: &Form, value: &PsValue, path: &str) -> Result<Option<Value>, BodyError> {
        if *value == PsValue::Null {
            return Ok(None);
        }
        Ok(Some(match form {
            Form::Maybe(form) => return self.value(form, value, path),
            Form::Any | Form::Flag | Form::Integer => to_json(value, self.zone),
            Form::Text | Form::Instant | Form::Span | Form::Guid | Form::Words(_) => match value {
                PsValue::List(_) | PsValue::Table(_) => return Err(misfit(value, "System.String", path)),
                PsValue::Date(date) => Value::String(date.to_utc(self.zone)),
                other => Value::String(other.to_text()),
            },
            Form::One(of) => self.members(of, value, path)?,
            Form::Many(form) => {
                let items = match value {
                    PsValue::List(items) => items.as_slice(),
                    single => std::slice::from_ref(single),
                };
                let mut written = Vec::with_capacity(items.len());
                for (index, item) in items.iter().enumerate() {
                    written.extend(self.value(form, item, &format!("{path}[{index}]"))?);
                }
                Value::Array(written)
            }
        }))
    }
}

fn misfit(value: &PsValue, wanted: &str, path: &str) -> BodyError {
    let path = if path.is_empty() { "body".to_owned() } else { path.to_owned() };
    BodyError { value: value.to_text(), wanted: wanted.to_owned(), path }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;
    use crate::powershell::cmdlets::{Cmdlet, find_cmdlet};
    use crate::powershell::literal::{Nothing, read_value};

    fn cmdlet() -> &'static Cmdlet {
        find_cmdlet("New-MgServicePrincipalSynchronizationJobOnDemand").unwrap()
    }

    fn check(literal: &str, expected: Expect) {
        let value = read_value(literal, &Nothing).unwrap();
        let zone = TimeZone::fixed(jiff::tz::offset(1));
        let shown = match whole_body(cmdlet().takes().unwrap(), &value, &zone) {
            Ok(body) => {
                let lines: Vec<_> = body.dropped.iter().map(|line| format!("\n{line}")).collect();
                format!("{}{}", body.json, lines.concat())
            }
            Err(error) => error.to_string(),
        };
        expected.assert_eq(&shown);
    }

    #[test]
    fn known_keys_match_in_any_case_and_go_out_in_lower_camel_case() {
        check(
            "@{ PARAMETERS = @(@{ RuleId = 'r'; Subjects = @(@{ OBJECTID = 'o'; ObjectTypeName = 'User'; Links = @{ Manager = @{ ObjectId = 'm' } } }) }) }",
            expect![[
                r#"{"parameters":[{"ruleId":"r","subjects":[{"objectId":"o","objectTypeName":"User","links":{"manager":{"objectId":"m"}}}]}]}"#
            ]],
        );
    }

    #[test]
    fn unknown_keys_stay_at_the_root_and_in_links_and_are_dropped_elsewhere() {
        check(
            "@{ Trace = 1; parameters = @{ ruleId = 'r'; Note = 'x'; subjects = @{ objectId = 'o'; Extra = 1; links = @{ Sponsors = @(@{ A = 1 }) } } } }",
            expect![[r#"
                {"parameters":[{"ruleId":"r","subjects":[{"objectId":"o","links":{"Sponsors":[{"A":1}]}}]}],"Trace":1}
                'Extra' has no place in a synchronizationJobSubject (parameters[0].subjects[0]) and is not sent.
                'Note' has no place in a synchronizationJobApplicationParameters (parameters[0]) and is not sent."#]],
        );
    }

    #[test]
    fn nulls_are_not_sent_anywhere() {
        check(
            "@{ a = $null; parameters = @($null, @{ ruleId = $null; subjects = @() }) }",
            expect![[r#"{"parameters":[{"subjects":[]}]}"#]],
        );
    }

    #[test]
    fn dates_and_numbers_take_their_wire_form() {
        check(
            "@{ since = [datetime]'2024-01-01T00:00:00'; count = 5; ratio = 1.5; price = 2.00d; big = 18446744073709551615ul; parameters = @{ ruleId = 17; subjects = @{ objectId = [datetime]'2024-01-01T00:00:00Z' } } }",
            expect![[
                r#"{"parameters":[{"ruleId":"17","subjects":[{"objectId":"2024-01-01T00:00:00.0000000Z"}]}],"since":"2023-12-31T23:00:00.0000000Z","count":5,"ratio":1.5,"price":2,"big":18446744073709551615}"#
            ]],
        );
    }

    #[test]
    fn values_of_the_wrong_form_are_named_with_their_place() {
        check(
            "@{ parameters = @(@{ subjects = 'x' }) }",
            expect![[
                r#"Cannot convert value "x" to type "synchronizationJobSubject" for 'parameters[0].subjects[0]'."#
            ]],
        );
        check(
            "@{ parameters = @(@{ ruleId = @('a', 'b') }) }",
            expect![[r#"Cannot convert value "a b" to type "System.String" for 'parameters[0].ruleId'."#]],
        );
    }

    #[test]
    fn parameters_win_over_the_same_name_in_additional_properties() {
        let parameters = read_value("@(@{ ruleId = 'r' })", &Nothing).unwrap();
        let additional = read_value("@{ Parameters = @(); x = 1 }", &Nothing).unwrap();
        let (cmdlet, of) = (cmdlet(), cmdlet().takes().unwrap());
        let parameter = cmdlet.parameters.iter().find(|one| one.name == "Parameters").unwrap();
        let body =
            expanded_body(of, vec![(parameter, parameters)], Some(&additional), &TimeZone::UTC).unwrap();
        expect![[r#"{"parameters":[{"ruleId":"r"}],"x":1}"#]].assert_eq(&body.json.to_string());
        expect!["'Parameters' of -AdditionalProperties gives way to -Parameters and is not sent."]
            .assert_eq(&body.dropped.join("\n"));
        let empty = expanded_body(of, Vec::new(), None, &TimeZone::UTC).unwrap();
        expect!["{}"].assert_eq(&empty.json.to_string());
    }

    #[test]
    fn ids_in_the_path_are_escaped() {
        expect!["/servicePrincipals/a%20b/synchronization/jobs/Azure2Azure.1%23%2Fx/microsoft.graph.provisionOnDemand"]
            .assert_eq(&path(&cmdlet().routes[0], &["a b".to_owned(), "Azure2Azure.1#/x".to_owned()]));
    }
}
