//! The page that shows the description to people: plain HTML, nothing loaded from elsewhere.

use std::fmt::Write;

use crate::graph::types::{self, Form, Members, Type};
use crate::graph::{Gives, Operation, operations};
use crate::server::State;

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}\
    code{background:#8882;padding:.1em .3em;border-radius:.2em}summary{cursor:pointer}\
    b{display:inline-block;min-width:4.5rem}dl{margin:.3rem 0 1rem 2rem}dt{float:left;clear:left;width:9rem}\
    dd{margin-left:9rem}:root{color-scheme:light dark}";

/// The page.
pub fn write(state: &State) -> String {
    let mut html = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Usher: the API</title><style>{STYLE}</style>\
         <h1>Usher: the API</h1><p>Tenant <code>{}</code> at <code>{}</code>. Every path stands below \
         <code>/v1.0</code> and <code>/beta</code>. The same as <a href=\"/openapi.json\">OpenAPI 3.1</a>. Tokens come \
         from <code>POST /{}/oauth2/v2.0/token</code>.</p>",
        escaped(&state.engine.settings.tenant),
        escaped(&state.options.address),
        escaped(&state.engine.settings.tenant),
    );
    let mut group = "";
    for operation in operations() {
        let first = operation.path.split('/').find(|part| !part.is_empty()).unwrap_or_default();
        if first != group {
            group = first;
            let _ = write!(html, "<h2>{}</h2>", escaped(&group.replace('|', " or ").replace(['{', '}'], "")));
        }
        one(&mut html, operation);
    }
    html.push_str("<h2>Types</h2>");
    for of in types::all() {
        shape(&mut html, of);
    }
    html.push_str("</html>");
    html
}

fn one(html: &mut String, operation: &Operation) {
    let mut permissions: Vec<&str> = operation.permissions.to_vec();
    permissions.extend(operation.owner_permission);
    let beta = if operation.is_beta { " (beta)" } else { "" };
    let _ = write!(
        html,
        "<details><summary><b>{}</b> <code>{}</code> {}{beta}</summary><dl><dt>Permissions</dt><dd>{}</dd>",
        operation.method,
        escaped(operation.path),
        escaped(operation.summary),
        permissions.join(", "),
    );
    if let Some(takes) = operation.takes {
        let _ = write!(html, "<dt>Body</dt><dd>{}</dd>", link(takes));
    }
    let answer = match operation.gives {
        Gives::Nothing => "204".to_owned(),
        Gives::Accepted => "202".to_owned(),
        Gives::One(of) => format!("200 with {}", link(of)),
        Gives::Created(of) => format!("201 with {}", link(of)),
        Gives::Many(of) => format!("200 with a list of {}", link(of)),
        Gives::Count => "200 with a number as text".to_owned(),
        Gives::Content => "200 with a file".to_owned(),
    };
    let _ = write!(html, "<dt>Answer</dt><dd>{answer}</dd></dl></details>");
}

fn link(of: &Type) -> String {
    format!("<a href=\"#{0}\">{0}</a>", of.name)
}

fn shape(html: &mut String, of: &Type) {
    let _ = write!(html, "<h3 id=\"{0}\">{0}</h3><dl>", of.name);
    match of.members {
        Members::Open => html.push_str("<dt>any member</dt><dd>&nbsp;</dd>"),
        Members::Listed(members) | Members::Exactly(members) => {
            for (name, form) in members {
                let _ = write!(html, "<dt>{}</dt><dd>{}</dd>", escaped(name), told(form));
            }
        }
        Members::Of(collection) => {
            for (name, kind) in collection.known {
                let _ = write!(html, "<dt>{name}</dt><dd>{}</dd>", format!("{kind:?}").to_lowercase());
            }
        }
    }
    html.push_str("</dl>");
}

fn told(form: &Form) -> String {
    match form {
        Form::Text => "text".to_owned(),
        Form::Flag => "true or false".to_owned(),
        Form::Integer => "whole number".to_owned(),
        Form::Instant => "instant".to_owned(),
        Form::Span => "duration".to_owned(),
        Form::Guid => "GUID".to_owned(),
        Form::Words(words) => words.join(", "),
        Form::Any => "anything".to_owned(),
        Form::One(of) => link(of),
        Form::Many(items) => format!("list of {}", told(items)),
        Form::Maybe(inner) => format!("{} or null", told(inner)),
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
