//! Target attribute names of SCIM schemas: `userName`, `name.givenName`, `emails[type eq "work"].value` and extension
//! URNs, taken apart.

use serde_json::Value as Json;
use smol_str::SmolStr;

/// The URNs of the core schemas; an attribute under one of them stands at the top of the resource.
const CORE: [&str; 2] =
    ["urn:ietf:params:scim:schemas:core:2.0:User", "urn:ietf:params:scim:schemas:core:2.0:Group"];

/// A target attribute name, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AttributePath {
    /// The extension; `None` for what stands at the top of the resource.
    pub(crate) urn: Option<SmolStr>,
    /// The attribute.
    pub(crate) attribute: SmolStr,
    /// Which entry of a multi-valued attribute; empty when none is chosen.
    pub(crate) selector: Vec<Term>,
    /// The sub-attribute.
    pub(crate) sub: Option<SmolStr>,
}

/// One comparison of a selector; all of them must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Term {
    /// The sub-attribute compared.
    pub(crate) attribute: SmolStr,
    /// The value, as text.
    pub(crate) value: SmolStr,
    /// Whether it stood in quotes.
    is_quoted: bool,
}

/// Why a name is not one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PathError {
    #[error("it names no attribute")]
    Empty,
    #[error("it is the name of a schema, not of an attribute in it")]
    Schema,
    #[error("'{0}' is not an attribute name")]
    Name(String),
    #[error("the selector is not closed")]
    Open,
    #[error("the selector must be comparisons such as type eq \"work\", joined by 'and'")]
    Selector,
    #[error("'{0}' after the selector is not a sub-attribute")]
    Rest(String),
}

impl AttributePath {
    /// Takes a name apart.
    pub(crate) fn parse(text: &str) -> Result<Self, PathError> {
        let text = text.trim();
        let (head, tail) = text.split_at(text.find('[').unwrap_or(text.len()));
        let is_urn = head.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("urn:"));
        // `2.0` holds a dot, so the URN goes first; what a selector compares may hold a colon, so it was cut off.
        let (urn, name) = match head.rsplit_once(':') {
            Some((urn, name)) if is_urn => (Some(urn), name),
            _ => (None, head),
        };
        if urn.is_some_and(|urn| urn.rsplit(':').next().is_some_and(is_version)) {
            return Err(PathError::Schema);
        }
        let urn =
            urn.filter(|urn| !CORE.iter().any(|core| core.eq_ignore_ascii_case(urn))).map(SmolStr::from);
        if tail.is_empty() {
            let (attribute, sub) = match name.split_once('.') {
                Some((attribute, sub)) => (attribute, Some(sub)),
                None => (name, None),
            };
            return Ok(Self {
                urn,
                attribute: valid(attribute)?,
                selector: Vec::new(),
                sub: sub.map(valid).transpose()?,
            });
        }
        let (inside, rest) = bracketed(tail).ok_or(PathError::Open)?;
        let sub = match rest.strip_prefix('.') {
            Some(sub) => Some(valid(sub)?),
            None if rest.is_empty() => None,
            None => return Err(PathError::Rest(rest.to_owned())),
        };
        Ok(Self { urn, attribute: valid(name)?, selector: terms(inside).ok_or(PathError::Selector)?, sub })
    }

    /// The part that is compared or written last: the sub-attribute, or the attribute when there is none.
    pub(crate) fn last(&self) -> &str {
        self.sub.as_deref().unwrap_or(&self.attribute)
    }

    /// Whether the attribute's values are true or false in every SCIM schema.
    pub(crate) fn is_boolean(&self) -> bool {
        let is_active =
            self.sub.is_none() && self.selector.is_empty() && self.attribute.eq_ignore_ascii_case("active");
        is_active || self.sub.as_deref().is_some_and(|sub| sub.eq_ignore_ascii_case("primary"))
    }

    /// The name of the whole attribute, without selector and sub-attribute.
    pub(crate) fn whole(&self) -> SmolStr {
        match &self.urn {
            Some(urn) => smol_str::format_smolstr!("{urn}:{}", self.attribute),
            None => self.attribute.clone(),
        }
    }
}

impl Term {
    /// The value as an entry holds it.
    pub(crate) fn json(&self) -> Json {
        let is_truth = !self.is_quoted || self.attribute.eq_ignore_ascii_case("primary");
        match self.value.to_ascii_lowercase().as_str() {
            "true" if is_truth => Json::Bool(true),
            "false" if is_truth => Json::Bool(false),
            _ if !self.is_quoted => {
                self.value.parse::<i64>().map_or_else(|_| Json::from(self.value.as_str()), Json::from)
            }
            _ => Json::from(self.value.as_str()),
        }
    }

    /// Whether an entry's value is the one compared with. Truth values may be text on either side.
    pub(crate) fn holds(&self, value: &Json) -> bool {
        match value {
            Json::String(text) => {
                *text == self.value || (self.is_truth() && text.eq_ignore_ascii_case(&self.value))
            }
            Json::Bool(truth) => self.value.eq_ignore_ascii_case(if *truth { "true" } else { "false" }),
            Json::Number(number) => number.to_string() == self.value,
            _ => false,
        }
    }

    fn is_truth(&self) -> bool {
        matches!(self.json(), Json::Bool(_))
    }
}

fn is_version(text: &str) -> bool {
    text.split_once('.').is_some_and(|(major, minor)| {
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        is_number(major) && is_number(minor)
    })
}

fn valid(name: &str) -> Result<SmolStr, PathError> {
    if name.is_empty() {
        return Err(PathError::Empty);
    }
    let is_allowed = |character: char| character.is_alphanumeric() || matches!(character, '$' | '_' | '-');
    if name.chars().all(is_allowed) { Ok(name.into()) } else { Err(PathError::Name(name.to_owned())) }
}

/// What stands between `[` and its `]`, and what follows.
fn bracketed(text: &str) -> Option<(&str, &str)> {
    let mut in_text = false;
    let mut escaped = false;
    for (index, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b']' if !in_text => return Some((&text[1..index], &text[index + 1..])),
            _ => {}
        }
    }
    None
}

/// `type eq "work" and primary eq true`.
fn terms(text: &str) -> Option<Vec<Term>> {
    let mut terms = Vec::new();
    let mut rest = text.trim();
    loop {
        let (attribute, after) = word(rest)?;
        let (operator, after) = word(after)?;
        if !operator.eq_ignore_ascii_case("eq") {
            return None;
        }
        let (value, is_quoted, after) = operand(after)?;
        terms.push(Term { attribute: valid(attribute).ok()?, value, is_quoted });
        if after.is_empty() {
            return Some(terms);
        }
        let (joined, after) = word(after)?;
        if !joined.eq_ignore_ascii_case("and") {
            return None;
        }
        rest = after;
    }
}

fn word(text: &str) -> Option<(&str, &str)> {
    let (word, rest) = text.split_once(char::is_whitespace)?;
    (!word.is_empty()).then(|| (word, rest.trim_start()))
}

fn operand(text: &str) -> Option<(SmolStr, bool, &str)> {
    if !text.starts_with('"') {
        let end = text.find(char::is_whitespace).unwrap_or(text.len());
        let (value, rest) = text.split_at(end);
        let is_plain = !value.is_empty() && !value.contains(['"', '[', '(']);
        return is_plain.then(|| (value.into(), false, rest.trim_start()));
    }
    let mut escaped = false;
    let end = text.bytes().enumerate().skip(1).find_map(|(index, byte)| match byte {
        _ if escaped => {
            escaped = false;
            None
        }
        b'\\' => {
            escaped = true;
            None
        }
        b'"' => Some(index + 1),
        _ => None,
    })?;
    let value: String = serde_json::from_str(&text[..end]).ok()?;
    Some((value.into(), true, text[end..].trim_start()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};
    use proptest::prelude::*;

    fn check(text: &str, expected: &Expect) {
        let shown = match AttributePath::parse(text) {
            Err(error) => format!("error: {error}"),
            Ok(path) => {
                let mut parts = Vec::new();
                parts.extend(path.urn.as_ref().map(|urn| format!("urn={urn}")));
                parts.push(format!("attribute={}", path.attribute));
                parts.extend(path.selector.iter().map(|term| format!("{}={}", term.attribute, term.json())));
                parts.extend(path.sub.as_ref().map(|sub| format!("sub={sub}")));
                parts.join(" ")
            }
        };
        expected.assert_eq(&shown);
    }

    #[test]
    fn every_published_form_is_taken_apart() {
        check("userName", &expect!["attribute=userName"]);
        check("name.givenName", &expect!["attribute=name sub=givenName"]);
        check(r#"emails[type eq "work"].value"#, &expect![[r#"attribute=emails type="work" sub=value"#]]);
        check(r#"emails[type eq "other"].Value"#, &expect![[r#"attribute=emails type="other" sub=Value"#]]);
        check(r#"roles[primary eq "True"].value"#, &expect!["attribute=roles primary=true sub=value"]);
        check(
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department",
            &expect!["urn=urn:ietf:params:scim:schemas:extension:enterprise:2.0:User attribute=department"],
        );
        check(
            "urn:ietf:params:scim:schemas:extension:Contoso:2.0:User:badge.number",
            &expect![
                "urn=urn:ietf:params:scim:schemas:extension:Contoso:2.0:User attribute=badge sub=number"
            ],
        );
        check("urn:ietf:params:scim:schemas:core:2.0:User:userName", &expect!["attribute=userName"]);
    }

    #[test]
    fn a_selector_may_hold_brackets_colons_dots_and_quotes() {
        check(
            r#"urn:x:1.0:User:badges[kind eq "a:b.c]\"d" and primary eq true].number"#,
            &expect![[r#"urn=urn:x:1.0:User attribute=badges kind="a:b.c]\"d" primary=true sub=number"#]],
        );
        check(r#"addresses[type eq "work"]"#, &expect![[r#"attribute=addresses type="work""#]]);
    }

    #[test]
    fn what_is_no_attribute_name_is_refused_with_the_reason() {
        check("", &expect!["error: it names no attribute"]);
        check("name.", &expect!["error: it names no attribute"]);
        check(
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
            &expect!["error: it is the name of a schema, not of an attribute in it"],
        );
        check("given name", &expect!["error: 'given name' is not an attribute name"]);
        check(r#"emails[type eq "work".value"#, &expect!["error: the selector is not closed"]);
        check(
            "emails[type gt 3].value",
            &expect![[r#"error: the selector must be comparisons such as type eq "work", joined by 'and'"#]],
        );
        check(
            r#"emails[type eq "work"]value"#,
            &expect!["error: 'value' after the selector is not a sub-attribute"],
        );
    }

    proptest! {
        #[test]
        fn any_text_is_taken_apart_or_refused(text in "\\PC*") {
            let _ = AttributePath::parse(&text);
        }

        #[test]
        fn near_misses_are_taken_apart_or_refused(text in r#"(urn:)?[a-z.:0-9]{0,8}(\[[a-z "\\eq\]]{0,16})?(\.[a-z]{0,4})?"#) {
            let _ = AttributePath::parse(&text);
        }
    }
}
