//! Secrets in bodies of the API, masked before somebody reads them.

use serde_json::{Value, json};
use usher_engine::cases::secrets::{MASK, is_credential, is_sensitive, masked};

/// Members whose values are never written.
const SECRET: &[&str] = &[
    "secretText",
    "password",
    "client_secret",
    "client_assertion",
    "access_token",
    "refresh_token",
    "id_token",
    "assertion",
    "certificate",
];

/// Puts `*****` in the place of every secret: of passwords, tokens, and the values of synchronization secrets.
pub fn mask(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(mask),
        Value::Object(members) => {
            // A synchronization secret: its key says what of its value may be shown. Other pairs of key and value, such
            // as metadata, are no secrets.
            let key = members.get("key").and_then(Value::as_str).map(str::to_owned);
            if let (Some(key), Some(Value::String(text))) = (key, members.get_mut("value"))
                && (is_credential(&key) || !is_sensitive(&key))
            {
                *text = masked(&key, text);
            }
            for (name, member) in members.iter_mut() {
                if SECRET.iter().any(|known| known.eq_ignore_ascii_case(name)) && member.is_string() {
                    *member = json!(MASK);
                } else {
                    mask(member);
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_masked_wherever_they_stand() {
        let mut body = json!({
            "value": [{ "key": "SecretToken", "value": "s3cret" }, { "key": "BaseAddress", "value": "https://x" },
                { "key": "Source.Password", "value": "s3cret" }, { "key": "ClientCertificate", "value": "s3cret" },
                { "key": "baseAddress", "value": "https://x?s3cret&token=s3cret" },
            ],
            "passwordProfile": { "password": "s3cret" }, "secretText": "s3cret", "access_token": "s3cret",
            "metadata": [{ "key": "IsCustomerDefined", "value": "true" }],
        });
        mask(&mut body);
        let text = body.to_string();
        assert!(!text.contains("s3cret"), "{text}");
        assert!(text.contains("https://x") && text.contains("\"true\""), "{text}");
    }
}
