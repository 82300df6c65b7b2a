//! A table's values, for programs and spreadsheets (RFC 4180).
//!
//! A column of intervals becomes three: the estimate, `…_low` and `…_high`.
//! Numbers are written in their shortest form that reads back to the same bits.

use super::{Cell, Sheet, Value};

impl Sheet {
    /// The values under short names.
    pub fn csv(&self) -> String {
        let is_interval = |column: usize| {
            let mut cells = self.rows.iter().map(|row| &row[column]);
            cells.any(|cell| matches!(cell.value, Value::Interval(_)))
        };
        let intervals: Vec<bool> = (0..self.columns.len()).map(is_interval).collect();
        let mut header = Vec::new();
        for (head, is_interval) in self.heads().zip(&intervals) {
            let name = short(head);
            if *is_interval {
                header.extend([name.clone(), format!("{name}_low"), format!("{name}_high")]);
            } else {
                header.push(name);
            }
        }
        let mut writer = csv::Writer::from_writer(Vec::new());
        let rows = self.rows.iter().map(|row| {
            let cells = row.iter().zip(&intervals);
            cells
                .flat_map(|(cell, interval)| fields(cell, *interval))
                .collect()
        });
        for record in std::iter::once(header).chain(rows) {
            writer
                .write_record(&record)
                .expect("every record has the header's length, and memory takes any text");
        }
        let bytes = writer.into_inner().expect("memory takes any text");
        String::from_utf8(bytes).expect("made of strings")
    }
}

fn fields(cell: &Cell, is_interval: bool) -> Vec<String> {
    let mut fields = match cell.value {
        Value::Interval(interval) => [interval.estimate, interval.low, interval.high]
            .map(|v| v.to_string())
            .to_vec(),
        Value::Number(number) => vec![number.to_string()],
        // A dash says that nothing is known; so does an empty field.
        Value::None if is_interval || cell.text == "–" => vec![String::new()],
        Value::None => vec![cell.text.clone()],
    };
    if is_interval {
        fields.resize(3, String::new());
    }
    fields
}

/// `N* (95%)` as `n`, `D* tokens (95%)` as `d_tokens`.
fn short(head: &str) -> String {
    let head = head.replace("(95%)", "").to_lowercase();
    let words: Vec<String> = head
        .replace("l*", "loss")
        .split(|c: char| !(c.is_alphanumeric() || c == '.'))
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect();
    words.join("_")
}
