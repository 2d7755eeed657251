//! Names of months, weekdays, day halves and the era in invariant culture, and the long forms of
//! the one-letter formats.

pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// From Sunday on.
pub(super) const WEEKDAYS: [&str; 7] =
    ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

pub(super) const ERA: &str = "A.D.";
pub(super) const SHORT_ERA: &str = "AD";

/// The short form of a month or weekday name.
pub(super) fn short(name: &'static str) -> &'static str {
    name.get(..3).unwrap_or(name)
}

/// The custom format that a one-letter format stands for.
pub(super) fn standard_format(letter: u8) -> Option<&'static str> {
    Some(match letter {
        b'd' => "MM/dd/yyyy",
        b'D' => "dddd, dd MMMM yyyy",
        b'f' => "dddd, dd MMMM yyyy HH:mm",
        b'F' | b'U' => "dddd, dd MMMM yyyy HH:mm:ss",
        b'g' => "MM/dd/yyyy HH:mm",
        b'G' => "MM/dd/yyyy HH:mm:ss",
        b'm' | b'M' => "MMMM dd",
        b'o' | b'O' => "yyyy'-'MM'-'dd'T'HH':'mm':'ss.fffffffK",
        b'r' | b'R' => "ddd, dd MMM yyyy HH':'mm':'ss 'GMT'",
        b's' => "yyyy'-'MM'-'dd'T'HH':'mm':'ss",
        b't' => "HH:mm",
        b'T' => "HH:mm:ss",
        b'u' => "yyyy'-'MM'-'dd HH':'mm':'ss'Z'",
        b'y' | b'Y' => "yyyy MMMM",
        _ => return None,
    })
}

/// The number of times the first byte of `text` stands at its start.
pub(super) fn run_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    bytes.iter().take_while(|b| Some(*b) == bytes.first()).count()
}

/// The text between quotes at the start of `format`, backslashes resolved, and the length with
/// the quotes. None when the closing quote or an escaped character is missing.
pub(super) fn quoted(format: &str) -> Option<(String, usize)> {
    let mut chars = format.char_indices();
    let (_, quote) = chars.next()?;
    let mut text = String::new();
    while let Some((at, c)) = chars.next() {
        match c {
            _ if c == quote => return Some((text, at + 1)),
            '\\' => text.push(chars.next()?.1),
            _ => text.push(c),
        }
    }
    None
}
