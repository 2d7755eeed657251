//! .NET text rules: casing of one character to one character, title case, UTF-16 positions and
//! white space.

use smol_str::{SmolStr, SmolStrBuilder};
use thiserror::Error;
use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};

/// A culture name that has not the form of one.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("unknown culture {0:?}")]
pub struct UnknownCulture(pub String);

/// How the letters i and ı change case.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Casing {
    /// `İ` and `ı` have no partner at all.
    Invariant,
    /// i pairs with I, as everywhere; `İ` and `ı` have theirs among the plain letters.
    Plain,
    /// i pairs with İ, and ı with I.
    Turkic,
}

/// Puts the text in lower case. Without a culture, or with the empty name, the rules are those of
/// the invariant culture.
pub fn to_lower(s: &str, culture: Option<&str>) -> Result<SmolStr, UnknownCulture> {
    Ok(lower(s, casing(culture)?))
}

/// Puts the text in upper case. Without a culture, or with the empty name, the rules are those of
/// the invariant culture.
pub fn to_upper(s: &str, culture: Option<&str>) -> Result<SmolStr, UnknownCulture> {
    let casing = casing(culture)?;
    if casing != Casing::Turkic && !s.bytes().any(|b| b.is_ascii_lowercase() || !b.is_ascii()) {
        return Ok(s.into());
    }
    Ok(collect(s.chars().map(|c| upper_char(c, casing))))
}

/// Lowers the text and gives every word a title-case first letter.
///
/// Words are those of .NET's `ToTitleCase`: they begin at a letter and end at white space,
/// punctuation or a symbol. An apostrophe inside a word does not end it; digits and marks do not
/// either.
pub fn title_case(s: &str) -> SmolStr {
    let mut inside_word = false;
    collect(s.chars().map(|c| {
        let c = lower_char(c, Casing::Invariant);
        if inside_word {
            inside_word = c == '\'' || !separates_words(c);
            c
        } else if c.general_category_group() == GeneralCategoryGroup::Letter {
            inside_word = true;
            title_char(c)
        } else {
            c
        }
    }))
}

/// The length in UTF-16 code units, which is what .NET calls a string's length.
pub fn utf16_len(s: &str) -> usize {
    if s.is_ascii() { s.len() } else { s.chars().map(char::len_utf16).sum() }
}

/// The part of `s` that begins at a UTF-16 position and has a length in code units.
///
/// A bound that falls inside a surrogate pair moves before the pair, so that neighbouring slices
/// put together give the text again. Bounds past the end are the end.
pub fn utf16_slice(s: &str, start: usize, len: usize) -> &str {
    let from = byte_offset(s, start);
    let to = byte_offset(s, start.saturating_add(len));
    &s[from..to]
}

/// Takes .NET's white space from both ends.
pub fn trim(s: &str) -> &str {
    s.trim_matches(char::is_whitespace)
}

/// Takes .NET's white space from the start.
pub fn trim_start(s: &str) -> &str {
    s.trim_start_matches(char::is_whitespace)
}

/// Takes .NET's white space from the end.
pub fn trim_end(s: &str) -> &str {
    s.trim_end_matches(char::is_whitespace)
}

/// The lower-case partner of a character in invariant culture.
pub(super) fn lower_invariant(c: char) -> char {
    lower_char(c, Casing::Invariant)
}

fn lower(s: &str, casing: Casing) -> SmolStr {
    if casing != Casing::Turkic && !s.bytes().any(|b| b.is_ascii_uppercase() || !b.is_ascii()) {
        return s.into();
    }
    collect(s.chars().map(|c| lower_char(c, casing)))
}

fn collect(chars: impl Iterator<Item = char>) -> SmolStr {
    let mut out = SmolStrBuilder::new();
    chars.for_each(|c| out.push(c));
    out.finish()
}

fn lower_char(c: char, casing: Casing) -> char {
    match (c, casing) {
        ('I', Casing::Turkic) => 'ı',
        ('İ', Casing::Turkic | Casing::Plain) => 'i',
        ('İ', Casing::Invariant) => c,
        _ if c.is_ascii() => c.to_ascii_lowercase(),
        _ => single(c.to_lowercase()).unwrap_or(c),
    }
}

fn upper_char(c: char, casing: Casing) -> char {
    match (c, casing) {
        ('i', Casing::Turkic) => 'İ',
        ('ı', Casing::Invariant) | ('ſ', _) => c,
        _ if c.is_ascii() => c.to_ascii_uppercase(),
        // Greek letters with iota subscript: the full mapping writes the iota out, the mapping of
        // one character to one gives the letter with iota adscript.
        ('\u{1F80}'..='\u{1F87}' | '\u{1F90}'..='\u{1F97}' | '\u{1FA0}'..='\u{1FA7}', _) => later(c, 8),
        ('\u{1FB3}' | '\u{1FC3}' | '\u{1FF3}', _) => later(c, 9),
        _ => single(c.to_uppercase()).unwrap_or(c),
    }
}

fn title_char(c: char) -> char {
    match c {
        '\u{1C4}'..='\u{1C6}' => '\u{1C5}',
        '\u{1C7}'..='\u{1C9}' => '\u{1C8}',
        '\u{1CA}'..='\u{1CC}' => '\u{1CB}',
        '\u{1F1}'..='\u{1F3}' => '\u{1F2}',
        _ => upper_char(c, Casing::Invariant),
    }
}

fn single(mut mapped: impl Iterator<Item = char>) -> Option<char> {
    let first = mapped.next()?;
    mapped.next().is_none().then_some(first)
}

fn later(c: char, by: u32) -> char {
    char::from_u32(u32::from(c) + by).unwrap_or(c)
}

fn separates_words(c: char) -> bool {
    use GeneralCategoryGroup::{Letter, Mark, Number, Other, Punctuation, Separator, Symbol};
    match c.general_category_group() {
        Separator | Punctuation | Symbol => true,
        Other => matches!(c.general_category(), GeneralCategory::Control | GeneralCategory::Format),
        Letter | Mark | Number => false,
    }
}

fn byte_offset(s: &str, units: usize) -> usize {
    let mut seen = 0;
    for (offset, c) in s.char_indices() {
        seen += c.len_utf16();
        if seen > units {
            return offset;
        }
    }
    s.len()
}

fn casing(culture: Option<&str>) -> Result<Casing, UnknownCulture> {
    let Some(name) = culture.filter(|name| !name.is_empty()) else { return Ok(Casing::Invariant) };
    if !has_culture_form(name) {
        return Err(UnknownCulture(name.to_owned()));
    }
    let language = name.split('-').next().unwrap_or(name);
    let turkic = language.eq_ignore_ascii_case("tr") || language.eq_ignore_ascii_case("az");
    Ok(if turkic { Casing::Turkic } else { Casing::Plain })
}

/// The form of RFC 4646: a language, then perhaps a script, a region and variants.
fn has_culture_form(name: &str) -> bool {
    let mut parts = name.split('-').peekable();
    let letters = |part: &str| part.bytes().all(|b| b.is_ascii_alphabetic());
    let Some(language) = parts.next() else { return false };
    if !matches!(language.len(), 2 | 3) || !letters(language) {
        return false;
    }
    parts.next_if(|part| part.len() == 4 && letters(part));
    parts.next_if(|part| match part.len() {
        2 => letters(part),
        // `zh-CHS` and `zh-CHT` are older names with three letters.
        3 => part.bytes().all(|b| b.is_ascii_digit()) || part.to_ascii_uppercase().starts_with("CH"),
        _ => false,
    });
    parts.all(|part| matches!(part.len(), 4..=8) && part.bytes().all(|b| b.is_ascii_alphanumeric()))
}
