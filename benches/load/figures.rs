//! What a run reports, and the middle of several.

use std::fmt::Write as _;

/// Names for files, headings for people, and decimal places.
const COLUMNS: [(&str, &str, usize); 9] = [
    ("packets_per_second", "packets/s", 0),
    ("lost", "lost", 0),
    ("repeated", "repeated", 0),
    ("cpu_us_per_packet", "CPU µs/pkt", 2),
    ("rss_kib_per_viewer", "KiB/viewer", 1),
    ("latency_p50_ms", "lat p50 ms", 2),
    ("latency_p99_ms", "lat p99 ms", 2),
    ("first_key_frame_p50_ms", "key p50 ms", 1),
    ("first_key_frame_p99_ms", "key p99 ms", 1),
];

/// The figures of one run, in the order of the columns.
pub(super) struct Figures(pub(super) [f64; COLUMNS.len()]);

impl Figures {
    pub(super) fn head() -> String {
        COLUMNS.iter().fold(format!("{:>7}", "run"), |mut line, (_, heading, _)| {
            let _ = write!(line, " {heading:>11}");
            line
        })
    }

    pub(super) fn row(&self, name: &str) -> String {
        self.0.iter().zip(COLUMNS).fold(format!("{name:>7}"), |mut line, (value, (_, _, places))| {
            let _ = write!(line, " {value:>11.places$}");
            line
        })
    }

    /// The median of each column.
    pub(super) fn median(all: &[Self]) -> Self {
        Self(std::array::from_fn(|column| {
            let mut values: Vec<f64> = all.iter().map(|figures| figures.0[column]).collect();
            values.sort_by(f64::total_cmp);
            values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
        }))
    }

    pub(super) fn json(&self, viewers: usize, runs: usize) -> String {
        let mut object = serde_json::Map::new();
        object.insert("viewers".to_owned(), viewers.into());
        object.insert("runs".to_owned(), runs.into());
        for (value, (name, _, _)) in self.0.iter().zip(COLUMNS) {
            object.insert(name.to_owned(), (*value).into());
        }
        serde_json::Value::Object(object).to_string()
    }
}
