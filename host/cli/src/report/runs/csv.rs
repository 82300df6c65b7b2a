//! `runs.csv`: RFC 4180, a header, an empty field where nothing is known.
//!
//! Numbers are written in their shortest form that reads back to the same bits, earlier
//! losses of a run as JSON.

use std::collections::BTreeSet;
use std::path::Path;

use flops_fit_scaling::CurvePoint;
use flops_fit_trial::{DocumentError, write_document};

use super::Row;

/// Columns in the order of the file, before the further counts of N.
const COLUMNS: [&str; 18] = [
    "trial", "status", "budget", "size", "seed", "n", "d", "c", "spent", "unique", "loss",
    "loss_se", "lr", "group", "attempt", "steps", "seconds", "reason",
];

/// The column that names the diverged trial that a row tried again.
const RETRY: &str = "retry_of";

/// The column that says whether the learning rate was tuned by a row.
const TUNING: &str = "tuning";

/// Start of the name of a column that holds a further count of N.
const COUNT: &str = "n_";

/// Start of the name of a column that holds a held-out metric.
const METRIC: &str = "metric_";

/// Writes the rows to `path`, whole or not at all.
///
/// # Errors
/// When the operating system refuses.
pub fn write(path: &Path, rows: &[Row]) -> Result<(), DocumentError> {
    write_document(path, render(rows).as_bytes())
}

fn render(rows: &[Row]) -> String {
    let counts: BTreeSet<&String> = rows.iter().flat_map(|row| row.counts.keys()).collect();
    let mut header: Vec<String> = COLUMNS.map(str::to_owned).to_vec();
    // Few tables have weights.
    let weighted = rows.iter().any(|row| row.weight.is_some());
    header.extend(weighted.then(|| "weight".to_owned()));
    let curved = rows.iter().any(|row| !row.curve.is_empty());
    header.extend(curved.then(|| "curve".to_owned()));
    let retried = rows.iter().any(|row| row.retry_of.is_some());
    header.extend(retried.then(|| RETRY.to_owned()));
    let tuned = rows.iter().any(|row| row.tuning);
    header.extend(tuned.then(|| TUNING.to_owned()));
    header.extend(counts.iter().map(|name| format!("{COUNT}{name}")));
    let metrics: BTreeSet<&String> = rows.iter().flat_map(|row| row.metrics.keys()).collect();
    header.extend(metrics.iter().map(|name| format!("{METRIC}{name}")));
    let mut writer = csv::Writer::from_writer(Vec::new());
    let records = std::iter::once(header).chain(rows.iter().map(|row| {
        let mut record = fields(row);
        record.extend(weighted.then(|| number(row.weight)));
        record.extend(curved.then(|| curve(&row.curve)));
        record.extend(retried.then(|| row.retry_of.clone().unwrap_or_default()));
        record.extend(tuned.then(|| row.tuning.to_string()));
        record.extend(
            counts
                .iter()
                .map(|name| number(row.counts.get(*name).copied())),
        );
        let measured = |name: &&String| number(row.metrics.get(*name).copied());
        record.extend(metrics.iter().map(measured));
        record
    }));
    for record in records {
        writer
            .write_record(&record)
            .expect("every record has the header's length, and memory takes any text");
    }
    let bytes = writer.into_inner().expect("memory takes any text");
    String::from_utf8(bytes).expect("made of strings")
}

fn fields(row: &Row) -> Vec<String> {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    vec![
        text(&row.trial),
        row.status.word().to_owned(),
        number(row.budget),
        number(row.size),
        number(row.seed),
        number(row.n),
        number(row.d),
        number(row.c),
        number(row.spent),
        number(row.unique),
        number(row.loss),
        number(row.loss_se),
        number(row.lr),
        text(&row.group),
        number(row.attempt),
        number(row.steps),
        number(row.seconds),
        text(&row.reason),
    ]
}

fn curve(points: &[CurvePoint]) -> String {
    if points.is_empty() {
        return String::new();
    }
    serde_json::to_string(points).expect("made of plain numbers")
}

fn number<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}
