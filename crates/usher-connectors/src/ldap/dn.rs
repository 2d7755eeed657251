//! Distinguished names (RFC 4514): taken apart, put together, compared.

use std::fmt::Write;

/// A name: relative names from the entry upwards.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Dn(Vec<Rdn>);

/// A relative name: types with values, usually one.
type Rdn = Vec<(String, Vec<u8>)>;

impl Dn {
    /// Takes a name apart; escapes, quotes (as RFC 2253 still allowed) and hexadecimal forms are understood. Says what is
    /// wrong, and at which character.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut reader = Reader { rest: text.char_indices().peekable(), length: text.chars().count() };
        let mut names = Vec::new();
        reader.skip_blanks();
        if reader.rest.peek().is_none() {
            return Ok(Self(names));
        }
        loop {
            let mut rdn = Vec::new();
            loop {
                rdn.push((reader.attribute_type()?, reader.value()?));
                match reader.rest.next() {
                    Some((_, '+')) => {}
                    Some((_, ',' | ';')) => break,
                    None => {
                        names.push(rdn);
                        return Ok(Self(names));
                    }
                    Some((at, other)) => return Err(format!("unexpected '{other}' at character {}", at + 1)),
                }
            }
            names.push(rdn);
        }
    }

    /// The name of the entry above.
    pub(super) fn parent(&self) -> Self {
        Self(self.0.iter().skip(1).cloned().collect())
    }

    /// The name as RFC 4514 writes it.
    pub(super) fn text(&self) -> String {
        let names: Vec<String> = self.0.iter().map(rdn_text).collect();
        names.join(",")
    }

    /// The relative name of the entry.
    pub(super) fn rdn(&self) -> String {
        self.0.first().map(rdn_text).unwrap_or_default()
    }

    /// The value of the relative name, as text.
    pub(super) fn name(&self) -> Option<String> {
        let (_, value) = self.0.first()?.first()?;
        Some(String::from_utf8_lossy(value).into_owned())
    }

    /// A name below this one.
    pub(super) fn child(&self, attribute: &str, value: &str) -> Self {
        let mut names = vec![vec![(attribute.to_owned(), value.as_bytes().to_vec())]];
        names.extend(self.0.iter().cloned());
        Self(names)
    }

    /// A form that is the same for names that mean the same entry: case and runs of blanks do not count.
    pub(super) fn key(&self) -> String {
        let names: Vec<String> = self
            .0
            .iter()
            .map(|rdn| {
                let mut parts: Vec<String> = rdn
                    .iter()
                    .map(|(name, value)| {
                        let text = String::from_utf8_lossy(value).to_lowercase();
                        let folded: Vec<&str> = text.split_whitespace().collect();
                        format!("{}={}", name.to_lowercase(), escaped(&folded.join(" ")))
                    })
                    .collect();
                parts.sort();
                parts.join("+")
            })
            .collect();
        names.join(",")
    }

    /// Whether the entry is this one or lies below it.
    pub(super) fn is_within(&self, base: &Self) -> bool {
        let (below, above) = (self.key(), base.key());
        below == above || above.is_empty() || below.ends_with(&format!(",{above}"))
    }
}

fn rdn_text(rdn: &Rdn) -> String {
    let parts: Vec<String> = rdn
        .iter()
        .map(|(name, value)| match std::str::from_utf8(value) {
            Ok(text) => format!("{name}={}", escaped(text)),
            Err(_) => format!("{name}=#{}", hex(value)),
        })
        .collect();
    parts.join("+")
}

/// A value as it stands in a name (RFC 4514 §2.4).
pub(super) fn escaped(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    let last = value.chars().count().saturating_sub(1);
    for (place, character) in value.chars().enumerate() {
        match character {
            '"' | '+' | ',' | ';' | '<' | '>' | '\\' | '=' => {
                text.push('\\');
                text.push(character);
            }
            '#' if place == 0 => text.push_str("\\#"),
            ' ' if place == 0 || place == last => text.push_str("\\ "),
            character if character.is_control() => {
                let mut bytes = [0; 4];
                for byte in character.encode_utf8(&mut bytes).bytes() {
                    let _ = write!(text, "\\{byte:02X}");
                }
            }
            character => text.push(character),
        }
    }
    text
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

struct Reader<'t> {
    rest: std::iter::Peekable<std::str::CharIndices<'t>>,
    length: usize,
}

impl Reader<'_> {
    fn skip_blanks(&mut self) {
        while self.rest.next_if(|(_, character)| *character == ' ').is_some() {}
    }

    fn place(&mut self) -> usize {
        self.rest.peek().map_or(self.length, |(at, _)| *at) + 1
    }

    fn attribute_type(&mut self) -> Result<String, String> {
        self.skip_blanks();
        let at = self.place();
        let mut name = String::new();
        while let Some((_, character)) =
            self.rest.next_if(|(_, one)| one.is_ascii_alphanumeric() || matches!(one, '-' | '.'))
        {
            name.push(character);
        }
        self.skip_blanks();
        if name.is_empty() || self.rest.next_if(|(_, character)| *character == '=').is_none() {
            return Err(format!("an attribute with '=' is missing at character {at}"));
        }
        self.skip_blanks();
        Ok(if name.to_ascii_lowercase().starts_with("oid.") { name[4..].to_owned() } else { name })
    }

    fn value(&mut self) -> Result<Vec<u8>, String> {
        if self.rest.next_if(|(_, character)| *character == '#').is_some() {
            return self.hexadecimal();
        }
        let is_quoted = self.rest.next_if(|(_, character)| *character == '"').is_some();
        let mut value = Vec::new();
        // Blanks at the end count only when they are escaped.
        let mut kept = 0;
        loop {
            match self.rest.peek().copied() {
                None if is_quoted => return Err("a quotation mark is not closed".to_owned()),
                None => break,
                Some((_, '"')) if is_quoted => {
                    self.rest.next();
                    self.skip_blanks();
                    return Ok(value);
                }
                Some((_, ',' | ';' | '+')) if !is_quoted => break,
                Some((at, '"' | '<' | '>')) if !is_quoted => {
                    return Err(format!("a character that needs a backslash at character {}", at + 1));
                }
                Some((_, '\\')) => {
                    self.rest.next();
                    value.extend(self.escape()?);
                    kept = value.len();
                }
                Some((_, character)) => {
                    self.rest.next();
                    value.extend(character.encode_utf8(&mut [0; 4]).bytes());
                    if character != ' ' {
                        kept = value.len();
                    }
                }
            }
        }
        value.truncate(kept);
        Ok(value)
    }

    fn escape(&mut self) -> Result<Vec<u8>, String> {
        let at = self.place();
        let missing = || format!("nothing follows the backslash before character {at}");
        let (_, first) = self.rest.next().ok_or_else(missing)?;
        let Some(high) = first.to_digit(16).filter(|_| {
            // `\,` and `\20` are told apart by the second digit.
            self.rest.peek().is_some_and(|(_, second)| second.is_ascii_hexdigit())
        }) else {
            // RFC 4514 §3 knows no other escapes: what is meant by one cannot be told.
            let is_special =
                matches!(first, '\\' | '"' | '+' | ',' | ';' | '<' | '>' | ' ' | '#' | '=' | '/');
            return if is_special {
                Ok(first.encode_utf8(&mut [0; 4]).as_bytes().to_vec())
            } else {
                Err(format!(
                    "after the backslash before character {at} belong two hexadecimal digits or a special character, not '{first}'"
                ))
            };
        };
        let low = self.rest.next().and_then(|(_, second)| second.to_digit(16)).unwrap_or(0);
        Ok(vec![u8::try_from(high * 16 + low).unwrap_or(0)])
    }

    fn hexadecimal(&mut self) -> Result<Vec<u8>, String> {
        let at = self.place();
        let mut digits = Vec::new();
        while let Some((_, digit)) = self.rest.next_if(|(_, character)| character.is_ascii_hexdigit()) {
            digits.push(u8::try_from(digit.to_digit(16).unwrap_or(0)).unwrap_or(0));
        }
        self.skip_blanks();
        if digits.is_empty() || digits.len() % 2 != 0 {
            return Err(format!("pairs of hexadecimal digits are missing at character {at}"));
        }
        let bytes: Vec<u8> = digits.chunks(2).map(|pair| pair[0] * 16 + pair[1]).collect();
        // BER of a string: its type, its length, its characters.
        Ok(match bytes.as_slice() {
            [0x04 | 0x0C | 0x13 | 0x16, length, rest @ ..] if usize::from(*length) == rest.len() => {
                rest.to_vec()
            }
            _ => bytes,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_read_in_every_form_and_written_in_one() {
        for (given, written) in [
            ("CN=Adele,OU=People,DC=corp,DC=example", "CN=Adele,OU=People,DC=corp,DC=example"),
            (" cn = Adele Vance , ou=People ", "cn=Adele Vance,ou=People"),
            (r"CN=Smith\, John,DC=x", r"CN=Smith\, John,DC=x"),
            ("CN=\"Smith, John\",DC=x", r"CN=Smith\, John,DC=x"),
            (r"CN=Smith\2C John,DC=x", r"CN=Smith\, John,DC=x"),
            ("CN=#0C054164656C65,DC=x", "CN=Adele,DC=x"),
            (r"CN=\ x\ ,DC=x", r"CN=\ x\ ,DC=x"),
            (r"CN=\#1,DC=x", r"CN=\#1,DC=x"),
            ("OID.2.5.4.3=a+uid=b;DC=x", "2.5.4.3=a+uid=b,DC=x"),
            (r"CN=Jane\0ACNF:83f0156c,DC=x", r"CN=Jane\0ACNF:83f0156c,DC=x"),
            (r"CN=Jos\C3\A9,DC=x", "CN=José,DC=x"),
            ("", ""),
        ] {
            assert_eq!(Dn::parse(given).map(|dn| dn.text()), Ok(written.to_owned()), "{given}");
        }
    }

    #[test]
    fn what_is_no_name_is_refused_with_its_place() {
        for (given, says) in [
            ("Adele", "'=' is missing at character 1"),
            ("CN=Adele,People", "'=' is missing at character 10"),
            ("CN=a\"b,DC=x", "a backslash at character 5"),
            ("CN=\"a", "not closed"),
            ("CN=#0", "hexadecimal digits"),
            ("CN=a\\", "nothing follows the backslash"),
            ("CN=a,", "'=' is missing"),
            (r"CN=\ZZ,DC=x", "two hexadecimal digits or a special character, not 'Z'"),
            (r"CN=\2,DC=x", "not '2'"),
        ] {
            let error = Dn::parse(given).expect_err(given);
            assert!(error.contains(says), "{given}: {error}");
        }
    }

    #[test]
    fn names_that_mean_the_same_are_the_same() {
        let key = |text: &str| Dn::parse(text).expect("it is a name").key();
        assert_eq!(key("CN=Adele  Vance,DC=Corp"), key("cn=adele vance, dc=corp"));
        assert_eq!(key("CN=a+UID=b,DC=x"), key("uid=B+cn=A,dc=x"));
        assert_ne!(key(r"CN=a\,b,DC=x"), key("CN=a,CN=b,DC=x"));
        let dn = |text: &str| Dn::parse(text).expect("it is a name");
        assert!(dn("CN=a,OU=People,DC=x").is_within(&dn("ou=people,dc=x")));
        assert!(!dn("CN=a,OU=More People,DC=x").is_within(&dn("ou=people,dc=x")));
    }

    proptest! {
        #[test]
        fn any_value_survives_being_written_and_read(value in "\\PC{1,20}") {
            let dn = Dn::parse("DC=x").expect("it is a name").child("CN", &value);
            let again = Dn::parse(&dn.text()).expect("what was written can be read");
            prop_assert_eq!(again.name(), Some(value));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,40}") {
            let _ = Dn::parse(&text);
        }
    }
}
