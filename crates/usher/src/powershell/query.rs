//! What the query parameters of a cmdlet ask of the service, and how far its pages are followed.

use super::bind::Bound;
use super::body::escaped;
use super::value::PsValue;

/// The most items that the service gives on a page.
const LARGEST_PAGE: usize = 999;

/// The query of the first request, with its question mark; empty when nothing is asked.
pub fn of(bound: &Bound) -> String {
    let text = |name: &str| bound.text(name).map(str::to_owned);
    let list = |name: &str| match bound.get(name) {
        Some(PsValue::List(items)) if !items.is_empty() => {
            Some(items.iter().map(PsValue::to_text).collect::<Vec<_>>().join(","))
        }
        _ => None,
    };
    // The service wants a search in quotes, whatever the shell has left of them.
    let search =
        text("Search").map(|words| if words.starts_with('"') { words } else { format!("\"{words}\"") });
    let size = count(bound, "PageSize").or_else(|| limit(bound).map(|most| most.min(LARGEST_PAGE)));
    let options = [
        ("$filter", text("Filter")),
        ("$search", search),
        ("$select", list("Property")),
        ("$expand", list("ExpandProperty")),
        ("$orderby", list("Sort")),
        ("$skip", count(bound, "Skip").map(|number| number.to_string())),
        ("$top", size.filter(|size| *size > 0).map(|size| size.to_string())),
        ("$count", bound.get("CountVariable").map(|_| "true".to_owned())),
    ];
    let written: Vec<_> = options
        .into_iter()
        .filter_map(|(name, value)| Some(format!("{name}={}", escaped(&value?))))
        .collect();
    if written.is_empty() { String::new() } else { format!("?{}", written.join("&")) }
}

/// How many items are wanted at most.
pub fn limit(bound: &Bound) -> Option<usize> {
    count(bound, "Top").filter(|most| *most > 0)
}

/// Whether the next page is wanted: all are, or some of those that are wanted are still missing.
pub fn goes_on(bound: &Bound, left: Option<usize>) -> bool {
    match left {
        Some(left) => left > 0,
        None => bound.is_on("All"),
    }
}

/// The path below the version, and the query, of an address that the service gave.
pub fn path_of(address: &str, version: &str) -> String {
    let below = url::Url::parse(address).ok().map(|url| {
        let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
        format!("{}{query}", url.path())
    });
    let path = below.unwrap_or_else(|| address.to_owned());
    let start = format!("/{version}/");
    path.split_once(&start).map_or_else(|| path.clone(), |(_, rest)| format!("/{rest}"))
}

fn count(bound: &Bound, name: &str) -> Option<usize> {
    match bound.get(name) {
        Some(PsValue::Int(number)) => usize::try_from(*number).ok(),
        _ => None,
    }
}
