//! Numbers as PowerShell writes them: suffixes, multipliers, hexadecimal, decimals.

use std::fmt;

use super::value::PsValue;

/// A `System.Decimal`: a whole number divided by a power of ten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decimal {
    mantissa: i128,
    scale: u8,
}

/// The largest mantissa of a `System.Decimal`: 96 bits.
const DECIMAL_LIMIT: i128 = (1 << 96) - 1;
/// The most decimal places of a `System.Decimal`.
const DECIMAL_SCALE: u8 = 28;

impl Decimal {
    /// The number `mantissa / 10^scale`, when a `System.Decimal` can hold it.
    pub fn new(mantissa: i128, scale: u8) -> Option<Self> {
        (mantissa.unsigned_abs() <= DECIMAL_LIMIT.unsigned_abs() && scale <= DECIMAL_SCALE)
            .then_some(Self { mantissa, scale })
    }

    /// The number when it is whole.
    pub fn whole(self) -> Option<i128> {
        let divisor = 10_i128.pow(u32::from(self.scale));
        (self.mantissa % divisor == 0).then_some(self.mantissa / divisor)
    }

    /// The nearest double.
    pub fn to_float(self) -> f64 {
        self.to_string().parse().unwrap_or(0.0)
    }

    /// Reads digits with at most one point.
    pub fn parse(text: &str) -> Option<Self> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let scale = u8::try_from(fraction.len()).ok()?;
        Self::new(format!("{whole}{fraction}").parse().ok()?, scale)
    }

    fn times(self, factor: i128) -> Option<Self> {
        Self::new(self.mantissa.checked_mul(factor)?, self.scale)
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits =
            format!("{:0>width$}", self.mantissa.unsigned_abs(), width = usize::from(self.scale) + 1);
        let (whole, fraction) = digits.split_at(digits.len() - usize::from(self.scale));
        let sign = if self.mantissa < 0 { "-" } else { "" };
        match fraction {
            "" => write!(formatter, "{sign}{whole}"),
            _ => write!(formatter, "{sign}{whole}.{fraction}"),
        }
    }
}

/// A double as .NET prints it: the shortest text that reads back, with `E` for very large and very small ones.
pub fn float_text(number: f64) -> String {
    if number.is_nan() {
        return "NaN".into();
    }
    if number.is_infinite() {
        return if number > 0.0 { "∞".into() } else { "-∞".into() };
    }
    let scientific = format!("{number:e}");
    let Some((digits, exponent)) = scientific.split_once('e') else { return scientific };
    match exponent.parse::<i32>() {
        Ok(exponent) if exponent >= 15 => format!("{digits}E+{exponent:02}"),
        Ok(exponent) if exponent < -5 => format!("{digits}E-{:02}", -exponent),
        _ => number.to_string(),
    }
}

/// Reads one number, sign included; `None` when the text is no number or no type can hold it.
pub fn read_number(text: &str) -> Option<PsValue> {
    let (negative, unsigned) = match text.chars().next()? {
        '+' => (false, &text[1..]),
        '-' => (true, &text[1..]),
        _ => (false, text),
    };
    let lower = unsigned.to_ascii_lowercase();
    let (rest, factor) = multiplier(&lower);
    match rest.strip_prefix("0x") {
        Some(hexadecimal) => hexadecimal_number(hexadecimal, negative, factor),
        None => decimal_number(rest, negative, factor),
    }
}

/// Takes `kb`, `mb`, … off the end.
fn multiplier(text: &str) -> (&str, i128) {
    const MULTIPLIERS: [(&str, u32); 5] = [("kb", 10), ("mb", 20), ("gb", 30), ("tb", 40), ("pb", 50)];
    for (suffix, power) in MULTIPLIERS {
        if let Some(rest) = text.strip_suffix(suffix)
            && !rest.is_empty()
            && (!rest.starts_with("0x") || rest.len() > 2)
        {
            return (rest, 1 << power);
        }
    }
    (text, 1)
}

/// The types a suffix asks for.
#[derive(Clone, Copy)]
enum Suffix {
    None,
    Long,
    Unsigned,
    UnsignedLong,
    Short,
    UnsignedShort,
    SignedByte,
    Byte,
    Big,
    Decimal,
}

fn suffix(text: &str, is_hexadecimal: bool) -> (&str, Suffix) {
    const SUFFIXES: [(&str, Suffix); 9] = [
        ("ul", Suffix::UnsignedLong),
        ("us", Suffix::UnsignedShort),
        ("uy", Suffix::Byte),
        ("u", Suffix::Unsigned),
        ("l", Suffix::Long),
        ("s", Suffix::Short),
        ("y", Suffix::SignedByte),
        ("n", Suffix::Big),
        ("d", Suffix::Decimal),
    ];
    for (ending, kind) in SUFFIXES {
        // A hexadecimal `d` is a digit.
        if is_hexadecimal && ending == "d" {
            continue;
        }
        if let Some(rest) = text.strip_suffix(ending) {
            return (rest, kind);
        }
    }
    (text, Suffix::None)
}

fn hexadecimal_number(text: &str, negative: bool, factor: i128) -> Option<PsValue> {
    let (digits, suffix) = suffix(text, true);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let significant = digits.trim_start_matches('0');
    let bits = if significant.is_empty() { 0 } else { u128::from_str_radix(significant, 16).ok()? };
    // Without a suffix, eight digits are the bits of an Int32 and sixteen those of an Int64.
    let number = match (suffix, digits.len()) {
        (Suffix::None, 0..=8) => i128::from(u32::try_from(bits).ok()?.cast_signed()),
        (Suffix::None | Suffix::Long, _) => i128::from(u64::try_from(bits).ok()?.cast_signed()),
        _ => i128::try_from(bits).ok()?,
    };
    let number = (if negative { -number } else { number }).checked_mul(factor)?;
    typed_integer(number, suffix)
}

fn decimal_number(text: &str, negative: bool, factor: i128) -> Option<PsValue> {
    let (digits, suffix) = suffix(text, false);
    if !is_plain_number(digits) {
        return None;
    }
    let sign = if negative { "-" } else { "" };
    let signed = format!("{sign}{digits}");
    let is_whole = digits.bytes().all(|byte| byte.is_ascii_digit());
    if matches!(suffix, Suffix::Decimal) {
        return if digits.contains('e') {
            let whole = signed.parse::<f64>().ok().filter(|number| number.abs() < 1e28)?;
            Decimal::parse(&whole.to_string())?.times(factor).map(PsValue::Decimal)
        } else {
            Decimal::parse(&signed)?.times(factor).map(PsValue::Decimal)
        };
    }
    if is_whole {
        let number = signed.parse::<i128>().ok().and_then(|number| number.checked_mul(factor));
        if let Some(number) = number
            && let Some(value) = typed_integer(number, suffix)
        {
            return Some(value);
        }
        if !matches!(suffix, Suffix::None) {
            return None;
        }
        if let Some(decimal) = number.and_then(|number| Decimal::new(number, 0)) {
            return Some(PsValue::Decimal(decimal));
        }
    }
    let number = signed.parse::<f64>().ok()? * factor as f64;
    match suffix {
        _ if !number.is_finite() => None,
        Suffix::None => Some(PsValue::Float(number)),
        // A whole-number suffix rounds, half to even.
        _ if number.abs() < 1e30 => typed_integer(number.round_ties_even() as i128, suffix),
        _ => None,
    }
}

/// `digits`, `digits.digits`, `.digits` or `digits.`, with an optional exponent.
fn is_plain_number(text: &str) -> bool {
    let (mantissa, exponent) = match text.split_once('e') {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let exponent_fits = exponent.is_none_or(|exponent| {
        let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        !digits.is_empty() && are_digits(digits)
    });
    are_digits(whole) && are_digits(fraction) && !(whole.is_empty() && fraction.is_empty()) && exponent_fits
}

fn typed_integer(number: i128, suffix: Suffix) -> Option<PsValue> {
    let fits = match suffix {
        Suffix::None | Suffix::Long => i64::try_from(number).is_ok(),
        Suffix::Unsigned | Suffix::UnsignedLong => u64::try_from(number).is_ok(),
        // A BigInteger beyond the 64-bit types has no use here.
        Suffix::Big => i64::try_from(number).is_ok() || u64::try_from(number).is_ok(),
        Suffix::Short => i16::try_from(number).is_ok(),
        Suffix::UnsignedShort => u16::try_from(number).is_ok(),
        Suffix::SignedByte => i8::try_from(number).is_ok(),
        Suffix::Byte => u8::try_from(number).is_ok(),
        Suffix::Decimal => return Decimal::new(number, 0).map(PsValue::Decimal),
    };
    fits.then_some(PsValue::Int(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let shown = match read_number(text) {
            Some(value) => format!("{} {}", value.type_name(), value.to_text()),
            None => "none".into(),
        };
        assert_eq!(shown, expected, "{text}");
    }

    #[test]
    fn numbers_have_the_types_powershell_gives_them() {
        check("0", "System.Int32 0");
        check("-17", "System.Int32 -17");
        check("2147483648", "System.Int64 2147483648");
        check("9223372036854775808", "System.Decimal 9223372036854775808");
        check("99999999999999999999999999999999", "System.Double 1E+32");
        check("1.5", "System.Double 1.5");
        check(".5", "System.Double 0.5");
        check("1e3", "System.Double 1000");
        check("1e20", "System.Double 1E+20");
        check("1e-7", "System.Double 1E-07");
        check("0x1F", "System.Int32 31");
        check("0xFFFFFFFF", "System.Int32 -1");
        check("0xFFFFFFFFFF", "System.Int64 1099511627775");
        check("0x1d", "System.Int32 29");
        check("5L", "System.Int32 5");
        check("1.50d", "System.Decimal 1.50");
        check("18446744073709551615ul", "System.UInt64 18446744073709551615");
        check("200y", "none");
        check("200uy", "System.Int32 200");
        check("70000s", "none");
        check("2kb", "System.Int32 2048");
        check("1.5mb", "System.Double 1572864");
        check("0x10kb", "System.Int32 16384");
        check("1e400", "none");
        check("1.2.3", "none");
        check("12abc", "none");
        check("0x", "none");
        check("-", "none");
    }
}
