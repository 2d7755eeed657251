//! Distinguished names as text (RFC 4514): cutting them into components, escaping one component.

/// A component: what stands before the first `=`, and the value behind it without escapes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Component {
    pub(crate) kind: String,
    pub(crate) value: String,
}

/// The components from left to right.
pub(crate) fn components(name: &str) -> Vec<Component> {
    pieces(name).into_iter().map(component).collect()
}

/// The component with every character escaped that would mean something else in a distinguished name.
pub(crate) fn escape(component: &str) -> String {
    let (kind, value) = match component.split_once('=') {
        Some((kind, value)) => (Some(kind), value),
        None => (None, component),
    };
    let mut escaped = kind.map_or_else(String::new, |kind| format!("{kind}="));
    let last = value.chars().count().saturating_sub(1);
    for (index, character) in value.chars().enumerate() {
        let is_at_edge = index == 0 || index == last;
        match character {
            '"' | '+' | ',' | ';' | '<' | '>' | '\\' => escaped.extend(['\\', character]),
            ' ' if is_at_edge => escaped.push_str("\\ "),
            '#' if index == 0 => escaped.push_str("\\#"),
            '\0' => escaped.push_str("\\00"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// Cuts at commas that are neither escaped nor in quotes.
fn pieces(name: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let (mut start, mut is_escaped, mut is_quoted) = (0, false, false);
    for (position, character) in name.char_indices() {
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => {
                pieces.push(&name[start..position]);
                start = position + 1;
            }
            _ => {}
        }
    }
    if !name.trim().is_empty() {
        pieces.push(&name[start..]);
    }
    pieces
}

fn component(piece: &str) -> Component {
    let (kind, value) = piece.split_once('=').unwrap_or(("", piece));
    Component { kind: kind.trim().to_owned(), value: unescape(value) }
}

fn unescape(value: &str) -> String {
    let value = value.trim_start();
    let trimmed = value.trim_end();
    // A backslash in front of the last blank makes that blank part of the value.
    let value = if trimmed.ends_with('\\') && trimmed.len() < value.len() {
        &value[..trimmed.len() + 1]
    } else {
        trimmed
    };
    let value = match value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(inner) => inner,
        None => value,
    };
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.bytes().peekable();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        let Some(first) = rest.next() else { break };
        let pair = hexadecimal(first).zip(rest.peek().copied().and_then(hexadecimal));
        match pair {
            Some((high, low)) => {
                rest.next();
                bytes.push(high << 4 | low);
            }
            None => bytes.push(first),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hexadecimal(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::{components, escape};

    #[test]
    fn escaped_and_quoted_commas_do_not_separate() {
        let values: Vec<String> = components(r#"cn=Lee\, Ann,ou="Sales, West", dc=contoso\2c x\C3\A9"#)
            .into_iter()
            .map(|component| format!("{}={}", component.kind, component.value))
            .collect();
        assert_eq!(values, ["cn=Lee, Ann", "ou=Sales, West", "dc=contoso, xé"]);
    }

    #[test]
    fn what_is_escaped_reads_back() {
        for value in ["Lee, Ann", " both ends ", "#1", "a+b;c<d>\"e\"\\", "é"] {
            let escaped = escape(&format!("cn={value}"));
            assert_eq!(components(&escaped)[0].value, value, "{escaped}");
        }
    }
}
