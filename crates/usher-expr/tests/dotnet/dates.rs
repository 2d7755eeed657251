//! Formats, reading, arithmetic and FILETIME numbers.

use jiff::Timestamp;
use proptest::prelude::*;

use super::vectors::{Vector, check};
use usher_expr::dotnet::dates::{
    DateError, Styles, add, diff, format, from_filetime, parse_any, parse_exact, standard, to_filetime,
};

const VECTORS: &str = include_str!("dates.jsonl");
const VECTOR_FORMAT: &str = "yyyy-MM-dd'T'HH:mm:ss.fffffff";

fn date(text: &str) -> Timestamp {
    parse_any(text).unwrap_or_else(|| panic!("not a date: {text}"))
}

fn printed(t: Timestamp) -> String {
    format(t, VECTOR_FORMAT).expect("a date format")
}

fn now() -> Timestamp {
    date("2021-07-08T09:10:11Z")
}

fn or_error(text: Option<impl AsRef<str>>) -> String {
    text.map_or_else(|| "error".to_owned(), |text| text.as_ref().to_owned())
}

#[test]
fn formats_print_as_in_dotnet() {
    check(VECTORS, Some("format"), 200, |vector| {
        let printed = format(date(vector.text("date")), vector.text("format"));
        (or_error(vector.optional("printed")), or_error(printed.ok()))
    });
}

#[test]
fn exact_formats_read_as_in_dotnet() {
    check(VECTORS, Some("exact"), 150, |vector| {
        let styles = vector.text("styles").parse().unwrap();
        let read = parse_exact(vector.text("text"), vector.text("format"), styles, now());
        (or_error(vector.optional("read")), or_error(read.ok().map(printed)))
    });
}

#[test]
fn dates_without_a_format_read_as_in_dotnet() {
    check(VECTORS, Some("any"), 100, |vector| {
        (or_error(vector.optional("read")), or_error(parse_any(vector.text("text")).map(printed)))
    });
}

#[test]
fn intervals_add_as_in_dotnet() {
    check(VECTORS, Some("add"), 100, |vector: &Vector| {
        let sum = add(vector.text("interval"), vector.number("n"), date(vector.text("date")));
        (or_error(vector.optional("sum")), or_error(sum.ok().map(printed)))
    });
}

#[test]
fn filetime_numbers_agree_with_dotnet() {
    check(VECTORS, Some("filetime"), 4, |vector| {
        let number = vector.number("number");
        let actual =
            format!("{} {}", to_filetime(date(vector.text("date"))), printed(from_filetime(number).unwrap()));
        (format!("{number} {}", vector.text("date")), actual)
    });
    assert_eq!(from_filetime(i64::MAX), None);
    assert_eq!(from_filetime(-1), None);
    assert_eq!(to_filetime(date("2025-12-31 23:59:59-05:00")), 134_117_171_990_000_000);
}

#[test]
fn last_day_of_year_9999_is_kept_whole() {
    let never = date("9999-12-31");
    assert_eq!(standard(never), "12/31/9999 12:00:00 AM");
    assert!(never < date("9999-12-31T00:00:01Z"));
    assert!(date("9999-12-30T21:59:59Z") < date("9999-12-30T22:00:00Z"));
    assert!(date("9999-12-30T22:00:00Z") < never);
    assert_eq!(format(date("9999-12-31T23:59:59.999Z"), "o").unwrap(), "9999-12-31T23:59:59.9990000Z");
    assert_eq!(diff("s", never, date("9999-12-31T23:59:59Z")).unwrap(), 86_399);
    assert_eq!(add("s", 86_399, never).unwrap(), date("9999-12-31T23:59:59Z"));
    assert_eq!(add("d", 1, never), Err(DateError::Range));
    assert_eq!(add("d", -1, never).unwrap(), date("9999-12-30"));
}

#[test]
fn standard_form_has_no_leading_zeros_in_month_day_and_hour() {
    assert_eq!(standard(date("2012-03-23T07:00:00Z")), "3/23/2012 7:00:00 AM");
    assert_eq!(standard(date("0001-01-01T00:00:00Z")), "1/1/0001 12:00:00 AM");
    assert_eq!(standard(date("1999-12-31T12:59:09.9Z")), "12/31/1999 12:59:09 PM");
}

#[test]
fn time_without_a_date_is_one_of_today() {
    let read =
        |text: &str, format: &str| printed(parse_exact(text, format, Styles::default(), now()).unwrap());
    assert_eq!(read("10:20", "HH:mm"), "2021-07-08T10:20:00.0000000");
    assert_eq!(read("03-04", "MM-dd"), "2021-03-04T00:00:00.0000000");
    assert_eq!(read("04", "dd"), "2021-01-04T00:00:00.0000000");
    assert_eq!(read("2020", "yyyy"), "2020-01-01T00:00:00.0000000");
}

#[test]
fn differences_cut_time_and_count_calendar_units() {
    let between = |interval: &str, a: &str, b: &str| diff(interval, date(a), date(b)).unwrap();
    assert_eq!(between("s", "2020-01-01T00:00:00.9Z", "2020-01-01T00:00:02Z"), 1);
    assert_eq!(between("d", "2020-01-02", "2020-01-01 00:00:01"), 0);
    assert_eq!(between("d", "2020-01-01", "2019-12-30 23:00"), -1);
    assert_eq!(between("h", "2020-01-01", "2020-01-02"), 24);
    assert_eq!(between("n", "2020-01-01", "2020-01-01 01:00:59"), 60);
    // A Saturday and the Sunday after it.
    assert_eq!(between("ww", "2024-06-01", "2024-06-02"), 1);
    assert_eq!(between("ww", "2024-06-02", "2024-06-08"), 0);
    assert_eq!(between("ww", "2024-06-02", "2024-06-01"), -1);
    assert_eq!(between("m", "2024-01-31", "2024-02-01"), 1);
    assert_eq!(between("yyyy", "2024-12-31", "2025-01-01"), 1);
    assert_eq!(between("yyyy", "2025-01-01", "2024-12-31"), -1);
}

#[test]
fn unknown_interval_is_an_error() {
    assert_eq!(diff("q", now(), now()), Err(DateError::Interval { interval: "q".to_owned() }));
    assert_eq!(add("", 1, now()), Err(DateError::Interval { interval: String::new() }));
}

#[test]
fn styles_are_names_that_agree() {
    assert_eq!("RoundtripKind,allowLeadingWhite, AllowTrailingWhite".parse(), Ok(Styles::default()));
    assert_eq!("".parse(), Ok(Styles::default()));
    assert_eq!("None".parse(), Ok(Styles::NONE));
    for text in ["Whatever", "AssumeLocal,AssumeUniversal", "RoundtripKind, AdjustToUniversal", "None,"] {
        assert_eq!(text.parse::<Styles>(), Err(DateError::Styles { styles: text.to_owned() }));
    }
}

#[test]
fn mismatch_says_text_and_format() {
    let error = parse_exact("2/9/2024", "MM/dd/yyyy", Styles::default(), now()).unwrap_err();
    assert_eq!(error.to_string(), r#""2/9/2024" does not match the date format "MM/dd/yyyy""#);
    let error = format(now(), "%").unwrap_err();
    assert_eq!(error.to_string(), r#""%" is not a date format"#);
}

proptest! {
    #[test]
    fn every_second_prints_and_reads_back(second in 0_i64..315_537_897_600) {
        let t = from_filetime(0).and_then(|start| add("s", second - 50_491_123_200, start).ok()).unwrap();
        for form in ["yyyy-MM-ddTHH:mm:ssZ", "o", "r", "dddd d MMMM yyyy h:m:s tt"] {
            let text = format(t, form).unwrap();
            prop_assert_eq!(parse_exact(&text, form, Styles::default(), now()), Ok(t), "{}", text);
        }
        prop_assert_eq!(parse_any(&standard(t)), Some(t));
        prop_assert_eq!(standard(t).to_string(), format(t, "M/d/yyyy h:mm:ss tt").unwrap());
        prop_assert_eq!(to_filetime(t), (second - 50_491_123_200) * 10_000_000);
    }

    #[test]
    fn no_text_and_no_format_panics(text in "[0-9a-zA-Z/:.,+ '\"%\\\\é-]{0,20}", form in "[yMdHhmsfFtzKgTZG/:. '\"%\\\\é-]{0,12}") {
        let _ = parse_any(&text);
        let _ = parse_exact(&text, &form, Styles::ALLOW_WHITE_SPACES, now());
        if let Ok(printed) = format(now(), &form) {
            let _ = parse_exact(&printed, &form, Styles::default(), now());
        }
    }

    #[test]
    fn no_number_panics(n: i64, filetime: i64) {
        for interval in ["yyyy", "m", "ww", "d", "h", "n", "s"] {
            let _ = add(interval, n, now());
        }
        if let Some(t) = from_filetime(filetime) {
            prop_assert_eq!(to_filetime(t), filetime);
        }
        let _ = standard(Timestamp::MIN);
        let _ = standard(Timestamp::MAX);
    }
}
