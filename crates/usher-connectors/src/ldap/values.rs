//! Values as the wire has them, and as expressions see them; filters that hold values.

use std::fmt::Write;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use usher_expr::Value;
use uuid::Uuid;

use super::schema::Syntax;

/// One value as expressions see it. References are read elsewhere: they need the directory.
pub(super) fn read(syntax: Syntax, bytes: &[u8]) -> Value {
    let text = || String::from_utf8_lossy(bytes).into_owned();
    match syntax {
        Syntax::Binary => Value::Binary(bytes.into()),
        Syntax::Sid => match sid(bytes) {
            Some(text) => Value::text(text),
            None => Value::Binary(bytes.into()),
        },
        Syntax::Integer => match text().parse() {
            Ok(number) => Value::Integer(number),
            Err(_) => Value::text(text()),
        },
        Syntax::Boolean => match text().to_ascii_uppercase().as_str() {
            "TRUE" => Value::Boolean(true),
            "FALSE" => Value::Boolean(false),
            _ => Value::text(text()),
        },
        Syntax::Instant => match instant(&text()) {
            Some(instant) => Value::DateTime(instant),
            None => Value::text(text()),
        },
        Syntax::Text | Syntax::Reference => match std::str::from_utf8(bytes) {
            Ok(text) => Value::text(text),
            Err(_) => Value::Binary(bytes.into()),
        },
    }
}

/// One value as the wire has it; what is wrong with it otherwise.
pub(super) fn write(syntax: Syntax, value: &Value) -> Result<Vec<u8>, String> {
    let text = value.to_text();
    let bytes = match (syntax, value) {
        (_, Value::Binary(bytes)) => bytes.to_vec(),
        (Syntax::Sid, _) => {
            from_sid(&text).ok_or("a security identifier such as S-1-5-21-1-2-3-500 is needed")?
        }
        (Syntax::Binary, _) => from_base64(&text).ok_or("binary data as base64 is needed")?,
        (Syntax::Boolean, _) => match text.to_ascii_lowercase().as_str() {
            "true" | "1" => b"TRUE".to_vec(),
            "false" | "0" => b"FALSE".to_vec(),
            _ => return Err("True or False is needed".to_owned()),
        },
        (Syntax::Integer, _) => {
            text.parse::<i64>().map_err(|_| "a whole number is needed")?;
            text.as_bytes().to_vec()
        }
        (Syntax::Instant, Value::DateTime(instant)) => generalized(*instant).into_bytes(),
        (Syntax::Instant, _) => match text.parse::<Timestamp>() {
            Ok(instant) => generalized(instant).into_bytes(),
            Err(_) => text.as_bytes().to_vec(),
        },
        (_, Value::Object(_)) => return Err("a plain value is needed".to_owned()),
        _ => text.as_bytes().to_vec(),
    };
    if bytes.is_empty() {
        return Err("the directory takes no empty values; map nothing in place of it".to_owned());
    }
    Ok(bytes)
}

fn from_base64(text: &str) -> Option<Vec<u8>> {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.decode(text).ok()
}

/// A generalized time (RFC 4517 §3.3.13), such as `20260302091500.0Z`.
fn instant(text: &str) -> Option<Timestamp> {
    let (whole, zone) = match text.find(['Z', '+', '-']) {
        Some(at) => text.split_at(at),
        None => (text, "Z"),
    };
    let whole = whole.split(['.', ',']).next()?;
    let number =
        |range: std::ops::Range<usize>| whole.get(range).and_then(|digits| digits.parse::<i16>().ok());
    let small = |range| number(range).and_then(|number| i8::try_from(number).ok());
    let year = number(0..4)?;
    let (hour, minute, second) = (small(8..10)?, small(10..12).unwrap_or(0), small(12..14).unwrap_or(0));
    let civil = DateTime::new(year, small(4..6)?, small(6..8)?, hour, minute, second.min(59), 0).ok()?;
    let offset = match zone.strip_prefix(['+', '-']) {
        None => 0,
        Some(digits) => {
            let part =
                |range: std::ops::Range<usize>| digits.get(range).and_then(|text| text.parse::<i32>().ok());
            let seconds = part(0..2)? * 3_600 + part(2..4).unwrap_or(0) * 60;
            if zone.starts_with('-') { -seconds } else { seconds }
        }
    };
    let at = TimeZone::UTC.to_timestamp(civil).ok()?;
    at.checked_sub(jiff::SignedDuration::from_secs(i64::from(offset))).ok()
}

fn generalized(instant: Timestamp) -> String {
    instant.strftime("%Y%m%d%H%M%S.0Z").to_string()
}

/// A security identifier as text ([MS-DTYP] 2.4.2): the authority is big-endian, what follows little-endian.
fn sid(bytes: &[u8]) -> Option<String> {
    let [revision, count, rest @ ..] = bytes else { return None };
    let (authority, parts) = rest.split_at_checked(6)?;
    if *revision != 1 || parts.len() != usize::from(*count) * 4 {
        return None;
    }
    let authority = authority.iter().fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
    let mut text = format!("S-1-{authority}");
    for part in parts.chunks_exact(4) {
        let number = part.iter().rev().fold(0_u32, |number, byte| (number << 8) | u32::from(*byte));
        let _ = write!(text, "-{number}");
    }
    Some(text)
}

fn from_sid(text: &str) -> Option<Vec<u8>> {
    let mut parts = text.strip_prefix("S-1-")?.split('-');
    let authority: u64 = parts.next()?.parse().ok()?;
    let numbers: Vec<u32> = parts.map(str::parse).collect::<Result<_, _>>().ok()?;
    let mut bytes = vec![1, u8::try_from(numbers.len()).ok()?];
    bytes.extend_from_slice(authority.to_be_bytes().get(2..)?);
    bytes.extend(numbers.into_iter().flat_map(u32::to_le_bytes));
    Some(bytes)
}

/// The GUID of an `objectGUID`: its first three fields are little-endian on the wire.
pub(super) fn guid(bytes: &[u8]) -> Option<Uuid> {
    bytes.try_into().ok().map(Uuid::from_bytes_le)
}

/// A comparison in a filter (RFC 4515), its value escaped.
pub(super) fn equals(attribute: &str, value: &[u8]) -> String {
    let mut filter = format!("({attribute}=");
    for byte in value {
        if byte.is_ascii_alphanumeric() || b" -_.@/:,=+'".contains(byte) {
            filter.push(char::from(*byte));
        } else {
            let _ = write!(filter, "\\{byte:02x}");
        }
    }
    filter.push(')');
    filter
}

/// A reference in the extended form, `<GUID=…>;<SID=…>;CN=…`: its GUID and its name.
pub(super) fn extended(text: &str) -> Option<(Uuid, &str)> {
    let rest = text.strip_prefix("<GUID=")?;
    let (guid, mut rest) = rest.split_once('>')?;
    while let Some(more) = rest.strip_prefix(';') {
        rest = match more.strip_prefix('<') {
            Some(inner) => inner.split_once('>').map_or("", |(_, after)| after),
            None => more,
        };
        if !rest.starts_with(';') {
            break;
        }
    }
    Some((Uuid::parse_str(guid).ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_their_syntax_says() {
        for (syntax, wire, text) in [
            (Syntax::Integer, "-2147483646", "-2147483646"),
            (Syntax::Boolean, "TRUE", "True"),
            (Syntax::Instant, "20260302091500.0Z", "3/2/2026 9:15:00 AM"),
            (Syntax::Instant, "202603020915+0130", "3/2/2026 7:45:00 AM"),
            (Syntax::Text, "José", "José"),
            (Syntax::Integer, "many", "many"),
        ] {
            assert_eq!(read(syntax, wire.as_bytes()).to_text(), text, "{wire}");
        }
        assert!(matches!(read(Syntax::Text, &[0xFF]), Value::Binary(_)));
    }

    #[test]
    fn values_are_written_as_their_syntax_needs() {
        let written = |syntax, value: Value| {
            write(syntax, &value).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        };
        assert_eq!(written(Syntax::Boolean, Value::text("True")), Ok("TRUE".to_owned()));
        assert_eq!(written(Syntax::Integer, Value::text("5")), Ok("5".to_owned()));
        let at: Timestamp = "2026-03-02T09:15:00Z".parse().expect("it is an instant");
        assert_eq!(written(Syntax::Instant, Value::DateTime(at)), Ok("20260302091500.0Z".to_owned()));
        assert_eq!(written(Syntax::Binary, Value::text("YWI=")), Ok("ab".to_owned()));
        for (syntax, value) in
            [(Syntax::Text, ""), (Syntax::Integer, "x"), (Syntax::Boolean, "x"), (Syntax::Binary, "?")]
        {
            assert!(written(syntax, Value::text(value)).is_err(), "{value}");
        }
    }

    #[test]
    fn the_first_fields_of_a_guid_are_turned_round() {
        let bytes =
            [0x6c, 0x15, 0xf0, 0x83, 0x22, 0x32, 0x7e, 0x40, 0x93, 0x9c, 0x56, 0x67, 0x78, 0x31, 0xd5, 0x25];
        let text = guid(&bytes).map(|guid| guid.to_string());
        assert_eq!(text.as_deref(), Some("83f0156c-3222-407e-939c-56677831d525"));
        assert_eq!(equals("objectGUID", &bytes[..2]), r"(objectGUID=l\15)");
        assert_eq!(equals("cn", b"a*(b)\\"), r"(cn=a\2a\28b\29\5c)");
    }

    #[test]
    fn a_security_identifier_is_text_in_both_directions() {
        let text = "S-1-5-21-2127521184-1604012920-1887927527-72713";
        let bytes = from_sid(text).unwrap_or_default();
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "010500000000000515000000a065cf7e784b9b5fe77c8770091c0100");
        assert_eq!(read(Syntax::Sid, &bytes).to_text(), text);
        assert!(matches!(read(Syntax::Sid, &bytes[..9]), Value::Binary(_)), "what is cut off stays bytes");
        for wrong in ["S-1", "S-2-5", "x", "S-1-5-x"] {
            assert_eq!(from_sid(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn references_tell_their_guid_and_their_name() {
        let guid = "83f0156c-3222-407e-939c-56677831d525";
        for (text, name) in [
            (format!("<GUID={guid}>;CN=a,DC=x"), "CN=a,DC=x"),
            (format!("<GUID={guid}>;<SID=S-1-5-21>;CN=a;b,DC=x"), "CN=a;b,DC=x"),
        ] {
            assert_eq!(
                extended(&text).map(|(id, name)| (id.to_string(), name)),
                Some((guid.to_owned(), name))
            );
        }
        assert_eq!(extended("CN=a"), None);
    }
}
