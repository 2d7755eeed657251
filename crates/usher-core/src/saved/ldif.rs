//! Requests to a directory server as LDIF change records (RFC 2849), which `ldapmodify` reads.

use serde_json::Value as Json;

use super::PlannedRequest;

/// The longest line.
const LINE: usize = 76;

/// Requests as one LDIF document; `None` when one of them is no LDAP request.
pub fn document<'a>(requests: impl IntoIterator<Item = &'a PlannedRequest>) -> Option<String> {
    let mut text = "version: 1\n".to_owned();
    for request in requests {
        text.push('\n');
        text.push_str(&record(request)?);
    }
    Some(text)
}

/// One request as a change record; `None` when it is no LDAP request.
pub fn record(request: &PlannedRequest) -> Option<String> {
    let mut text = String::new();
    line(&mut text, "dn", &Json::from(request.path.as_str()))?;
    match request.method.as_str() {
        "ADD" => {
            text.push_str("changetype: add\n");
            for (name, values) in request.body.as_ref()?.as_object()? {
                for value in values.as_array()? {
                    line(&mut text, name, value)?;
                }
            }
        }
        "MODIFY" => {
            text.push_str("changetype: modify\n");
            for edit in request.body.as_ref()?.as_array()? {
                let edit = edit.as_object()?;
                let (verb, name) = edit.iter().find(|(verb, _)| *verb != "values")?;
                line(&mut text, verb, name)?;
                for value in edit.get("values").and_then(Json::as_array).into_iter().flatten() {
                    line(&mut text, name.as_str()?, value)?;
                }
                text.push_str("-\n");
            }
        }
        "MODDN" => {
            text.push_str("changetype: modrdn\n");
            let body = request.body.as_ref()?;
            line(&mut text, "newrdn", &body["newrdn"])?;
            let deletes = if body["deleteoldrdn"] == true { "1" } else { "0" };
            text.push_str(&format!("deleteoldrdn: {deletes}\n"));
            if body["newsuperior"].is_string() {
                line(&mut text, "newsuperior", &body["newsuperior"])?;
            }
        }
        // HTTP has a method of this name too; its target is a path.
        "DELETE" if !request.path.starts_with('/') => text.push_str("changetype: delete\n"),
        _ => return None,
    }
    Some(text)
}

fn line(out: &mut String, name: &str, value: &Json) -> Option<()> {
    let text = match value {
        Json::String(text) if is_safe(text) => format!("{name}: {text}"),
        Json::String(text) => {
            format!("{name}:: {}", usher_expr::Value::Binary(text.as_bytes().into()).to_text())
        }
        other => format!("{name}:: {}", other.get("base64")?.as_str()?),
    };
    let characters: Vec<char> = text.chars().collect();
    let mut rest = characters.as_slice();
    let mut room = LINE;
    let mut is_first = true;
    while !rest.is_empty() {
        let (piece, later) = rest.split_at(rest.len().min(room));
        if !is_first {
            out.push(' ');
        }
        out.extend(piece);
        out.push('\n');
        rest = later;
        room = LINE - 1;
        is_first = false;
    }
    Some(())
}

/// RFC 2849 `SAFE-STRING`; a blank at the end would get lost.
fn is_safe(text: &str) -> bool {
    let is_safe = |byte: u8| byte.is_ascii() && !matches!(byte, 0 | b'\n' | b'\r');
    text.bytes().all(is_safe) && !text.starts_with([' ', ':', '<']) && !text.ends_with(' ')
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use serde_json::json;

    use super::*;

    fn check(method: &str, path: &str, body: Json, expected: Expect) {
        let request = PlannedRequest {
            method: method.into(),
            address: path.to_owned(),
            path: path.to_owned(),
            headers: Default::default(),
            body: Some(body).filter(|body| !body.is_null()),
        };
        expected.assert_eq(&record(&request).unwrap_or_else(|| "no LDAP request".to_owned()));
    }

    #[test]
    fn each_kind_of_request_is_a_change_record() {
        check(
            "ADD",
            "CN=Ann Lee,OU=People,DC=x",
            json!({ "objectClass": ["top", "user"], "sn": [" Lee"], "photo": [{ "base64": "AAE=" }] }),
            expect![[r#"
                dn: CN=Ann Lee,OU=People,DC=x
                changetype: add
                objectClass: top
                objectClass: user
                sn:: IExlZQ==
                photo:: AAE=
            "#]],
        );
        check(
            "MODIFY",
            "CN=Jörg,DC=x",
            json!([{ "replace": "title", "values": ["Clerk"] }, { "delete": "mail", "values": [] }]),
            expect![[r#"
                dn:: Q049SsO2cmcsREM9eA==
                changetype: modify
                replace: title
                title: Clerk
                -
                delete: mail
                -
            "#]],
        );
        check(
            "MODDN",
            "CN=a,DC=x",
            json!({ "newrdn": "CN=b", "deleteoldrdn": true, "newsuperior": "OU=y,DC=x" }),
            expect![[r#"
                dn: CN=a,DC=x
                changetype: modrdn
                newrdn: CN=b
                deleteoldrdn: 1
                newsuperior: OU=y,DC=x
            "#]],
        );
        check(
            "DELETE",
            "CN=a,DC=x",
            Json::Null,
            expect![[r#"
            dn: CN=a,DC=x
            changetype: delete
        "#]],
        );
        check("DELETE", "/Users/1", Json::Null, expect!["no LDAP request"]);
    }

    #[test]
    fn long_lines_are_folded() {
        check(
            "ADD",
            "CN=a,DC=x",
            json!({ "description": ["x".repeat(160)] }),
            expect![[r#"
                dn: CN=a,DC=x
                changetype: add
                description: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
                 xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
                 xxxxxxxxxxxxxxxxxxxxxx
            "#]],
        );
    }
}
