//! `NormalizeDiacritics`: letters with marks become plain letters, by a fixed table.

use std::collections::HashMap;
use std::sync::LazyLock;

use smol_str::{SmolStr, SmolStrBuilder};
use unicode_normalization::UnicodeNormalization as _;
use unicode_segmentation::UnicodeSegmentation as _;

use crate::call::Call;
use crate::evaluate::Evaluated;
use crate::function::{Example, Function, Param, SERVICE, Type};
use crate::value::Value;

pub(crate) const FUNCTION: Function = Function {
    name: "NormalizeDiacritics",
    summary: "Replaces letters with marks by plain letters; letters outside the table stay.",
    dialects: SERVICE,
    params: &[Param::required("source", Type::Text, "The text, or a list of texts.")],
    examples: &[
        Example::new(r#"NormalizeDiacritics("Zoë Łuczak-Šmíd")"#, r#""Zoe Luczak-Smid""#),
        Example::new(r#"NormalizeDiacritics("Jürgen Größe")"#, r#""Jurgen Grosse""#),
        Example::new(r#"NormalizeDiacritics("Søren Æbelø")"#, r#""Soeren AEbeloe""#),
        Example::new(r#"NormalizeDiacritics("Đorđe Þór")"#, r#""Đorđe Þor""#),
    ],
    eval,
    ..Function::COMMON
};

/// What replaces what: the replacement, then everything that becomes it, one letter between blanks.
const TABLE: &[(&str, &str)] = &[
    ("a", "ä à â ã å á ą ă ā ā́ ā̀ ā̂ ā̃ ǟ ā̈ ǡ a̱ å̄"),
    ("A", "Ä À Â Ã Å Á Ą Ă Ā Ā́ Ā̀ Ā̂ Ā̃ Ǟ Ā̈ Ǡ A̱ Å̄"),
    ("ae", "æ ǣ"),
    ("AE", "Æ Ǣ"),
    ("c", "ç č ć c̄ c̱"),
    ("C", "Ç Č Ć C̄ C̱"),
    ("d", "ď d̄ ḏ"),
    ("D", "Ď D̄ Ḏ"),
    ("e", "ë è é ê ę ě ė ē ḗ ḕ ē̂ ē̃ ê̄ e̱ ë̄ e̊̄"),
    ("E", "Ë È É Ê Ę Ě Ė Ē Ḗ Ḕ Ē̂ Ē̃ Ê̄ E̱ Ë̄ E̊̄"),
    ("g", "ğ ḡ g̱"),
    ("G", "Ğ Ḡ G̱"),
    ("i", "ï î ì í ı ī ī́ ī̀ ī̂ ī̃ i̱"),
    ("I", "Ï Î Ì Í İ Ī Ī́ Ī̀ Ī̂ Ī̃ I̱"),
    ("l", "ľ ł l̄ ḹ ḻ"),
    ("L", "Ł Ľ L̄ Ḹ Ḻ"),
    ("n", "ñ ń ň n̄ ṉ"),
    ("N", "Ñ Ń Ň N̄ Ṉ"),
    ("o", "ö ò ő õ ô ó ō ṓ ṑ ō̂ ō̃ ȫ ō̈ ǭ ȭ ȱ o̱"),
    ("O", "Ö Ò Ő Õ Ô Ó Ō Ṓ Ṑ Ō̂ Ō̃ Ȫ Ō̈ Ǭ Ȭ Ȱ O̱"),
    ("oe", "ø ø̄ œ̄"),
    ("OE", "Ø Ø̄ Œ̄"),
    ("r", "ř r̄ ṟ ṝ"),
    ("R", "Ř R̄ Ṟ Ṝ"),
    ("ss", "ß"),
    ("s", "š ś ș ş s̄ s̱"),
    ("S", "Š Ś Ș Ş S̄ S̱"),
    ("t", "ť ț t̄ ṯ"),
    ("T", "Ť Ț T̄ Ṯ"),
    ("u", "ü ù û ú ů ű ū ū́ ū̀ ū̂ ū̃ u̇̄ ǖ ṻ ṳ̄ u̱"),
    ("U", "Ü Ù Û Ú Ů Ű Ū Ū́ Ū̀ Ū̂ Ū̃ U̇̄ Ǖ Ṻ Ṳ̄ U̱"),
    ("y", "ÿ ý ȳ ȳ́ ȳ̀ ȳ̃ y̱"),
    ("Y", "Ÿ Ý Ȳ Ȳ́ Ȳ̀ Ȳ̃ Y̱"),
    ("z", "ź ž ż z̄ ẕ"),
    ("Z", "Ź Ž Ż Z̄ Ẕ"),
];

/// The table by letter in composed form.
static REPLACEMENTS: LazyLock<HashMap<SmolStr, &'static str>> = LazyLock::new(|| {
    TABLE
        .iter()
        .flat_map(|(to, letters)| letters.split(' ').map(|letter| (letter.nfc().collect::<SmolStr>(), *to)))
        .collect()
});

fn eval(call: &Call<'_>) -> Evaluated {
    call.map_text(0, |text| {
        if text.is_ascii() {
            return Ok(Value::Text(text));
        }
        let mut normalized = SmolStrBuilder::with_capacity(text.len());
        for letter in text.graphemes(true) {
            let replacement = if letter.is_ascii() {
                None
            } else {
                REPLACEMENTS.get(letter).or_else(|| REPLACEMENTS.get(letter.nfc().collect::<SmolStr>().as_str()))
            };
            normalized.push_str(replacement.copied().unwrap_or(letter));
        }
        Ok(Value::Text(normalized.finish()))
    })
}
