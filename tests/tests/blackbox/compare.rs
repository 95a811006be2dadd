//! Two pages of metrics held against each other: what differs, one line a difference.
//!
//! Times are not compared, only that they are told. It knows no case and excuses nothing.

use std::collections::{BTreeMap, BTreeSet};

/// Series whose values are lengths of time, or moments of this run: they differ from probe to probe.
const TIMES: &[&str] = &[
    "probe_duration_seconds",
    "probe_dns_lookup_time_seconds",
    "probe_http_duration_seconds",
    "probe_dns_duration_seconds",
    "probe_icmp_duration_seconds",
    "probe_grpc_duration_seconds",
];

/// A page, read.
#[derive(Debug, Default)]
struct Page {
    /// `# HELP` and `# TYPE` lines, by name.
    heads: BTreeMap<String, String>,
    /// Values as written, by name and labels.
    series: BTreeMap<String, String>,
    names: Vec<String>,
}

impl Page {
    fn read(text: &str) -> Page {
        let mut page = Page::default();
        for line in text.lines() {
            if let Some(head) = line.strip_prefix("# ") {
                let name = head.split(' ').nth(1).unwrap_or("").to_owned();
                if head.starts_with("HELP") {
                    page.names.push(name.clone());
                }
                *page.heads.entry(name).or_default() += &format!("{line}|");
            } else if let Some((series, value)) = line.rsplit_once(' ') {
                page.series.insert(series.to_owned(), value.to_owned());
            }
        }
        page
    }
}

/// What differs between `ours` and `theirs`.
pub(crate) fn differences(ours: &str, theirs: &str) -> BTreeSet<String> {
    let (ours, theirs) = (Page::read(ours), Page::read(theirs));
    let mut found = BTreeSet::new();
    let name = |series: &str| series.split('{').next().unwrap_or(series).to_owned();
    for (series, value) in &ours.series {
        match theirs.series.get(series) {
            None => drop(found.insert(format!("only ours: {series} {value}"))),
            Some(other) if other == value || TIMES.contains(&name(series).as_str()) => {}
            Some(other) => drop(found.insert(format!("value: {series} ours {value} theirs {other}"))),
        }
    }
    for (series, value) in &theirs.series {
        if !ours.series.contains_key(series) {
            found.insert(format!("only theirs: {series} {value}"));
        }
    }
    for (name, head) in &ours.heads {
        match theirs.heads.get(name) {
            Some(other) if other != head => drop(found.insert(format!("head: {name} ours {head} theirs {other}"))),
            _ => {}
        }
    }
    let sorted = |page: &Page| page.names.is_sorted();
    if !sorted(&ours) || !sorted(&theirs) {
        found.insert("order: families are not sorted".to_owned());
    }
    found
}

#[test]
fn a_page_differs_from_another_by_values_series_and_heads_but_not_by_times() {
    let page = |value: &str| format!("# HELP probe_x X\n# TYPE probe_x gauge\nprobe_x{{a=\"b\"}} {value}\n");
    assert!(differences(&page("1"), &page("1")).is_empty());
    let found = differences(&page("1"), &page("2").replace("HELP probe_x X", "HELP probe_x Y"));
    assert_eq!(found.len(), 2, "{found:?}");
    let time = |value: &str| format!("probe_duration_seconds {value}\n");
    assert!(differences(&time("1"), &time("2")).is_empty());
    assert_eq!(differences(&time("1"), "").len(), 1);
}
