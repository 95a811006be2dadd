//! Reading a page of metrics.

/// The value of the series whose name and labels stand exactly so on the page.
pub fn sample(page: &str, series: &str) -> Option<f64> {
    let line = page.lines().find(|line| line.strip_prefix(series).is_some_and(|rest| rest.starts_with(' ')))?;
    line.rsplit_once(' ')?.1.parse().ok()
}

/// The sum over the series that begin so.
pub fn sum(page: &str, prefix: &str) -> f64 {
    let lines = page.lines().filter(|line| line.starts_with(prefix));
    lines.filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok()).sum()
}
