//! The blocks of the debug stream: request and response, without what is secret.

use serde_json::Value;

use super::call::status_name;
use super::cmdlets::Cmdlet;
use super::host::{Connection, Content, Request, Response};

/// Headers whose values are not shown.
const SECRET: [&str; 4] = ["Authorization", "Proxy-Authorization", "Cookie", "Set-Cookie"];

/// What comes before the first call.
pub fn beginning(cmdlet: &Cmdlet, set: &str, connection: Option<&Connection>) -> String {
    let mut text =
        format!("[CmdletBeginProcessing]: - {} begin processing with parameterSet '{set}'.", cmdlet.name);
    if let Some(connection) = connection {
        text.push_str(&format!("\n[Authentication]: - AuthType: '{}'.", connection.auth_type));
        text.push_str(&format!("\n[Authentication]: - Scopes: [{}].", connection.scopes.join(", ")));
    }
    text
}

/// The request as it goes out.
pub fn request(endpoint: &str, request: &Request) -> String {
    let body = match &request.body {
        Content::None => String::new(),
        Content::Json(json) => format!("{:#}", masked(json.clone())),
        Content::File(text) => shown(text.as_bytes()),
    };
    format!(
        "============================ HTTP REQUEST ============================\n\nHTTP Method:\n{}\n\nAbsolute Uri:\n{}/{}{}\n\nHeaders:\n{}\n\nBody:\n{}\n",
        request.method,
        endpoint.trim_end_matches('/'),
        request.version,
        request.path,
        headers(&request.headers),
        body
    )
}

/// The response as it came.
pub fn response(response: &Response) -> String {
    let body = shown(&response.body);
    format!(
        "============================ HTTP RESPONSE ============================\n\nStatus Code:\n{}\n\nHeaders:\n{}\n\nBody:\n{body}\n",
        status_name(response.status),
        headers(&response.headers)
    )
}

fn shown(bytes: &[u8]) -> String {
    match serde_json::from_slice::<Value>(bytes) {
        Ok(json) => format!("{:#}", masked(json)),
        Err(_) => String::from_utf8_lossy(bytes).into_owned(),
    }
}

fn masked(mut json: Value) -> Value {
    usher_server::mask(&mut json);
    json
}

fn headers(headers: &[(String, String)]) -> String {
    let lines: Vec<_> = headers
        .iter()
        .filter(|(name, _)| !SECRET.iter().any(|secret| secret.eq_ignore_ascii_case(name)))
        .map(|(name, value)| format!("{name:<30}: {value}"))
        .collect();
    lines.join("\n")
}
