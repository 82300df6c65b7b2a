//! A table's values, for programs and spreadsheets (RFC 4180).
//!
//! A column of intervals, or one whose head says `(95%)`, becomes three: the estimate,
//! `…_low` and `…_high`. A column of ranges becomes the latter two.
//! Numbers are written in their shortest form that reads back to the same bits.

use super::{Cell, Sheet, Value};

impl Sheet {
    /// The values under short names.
    pub fn csv(&self) -> String {
        let widths: Vec<usize> = (0..self.columns.len()).map(|at| self.width(at)).collect();
        let mut header = Vec::new();
        for (head, width) in self.heads().zip(&widths) {
            let name = short(head);
            let ends = [format!("{name}_low"), format!("{name}_high")];
            if *width != 2 {
                header.push(name);
            }
            if *width != 1 {
                header.extend(ends);
            }
        }
        let mut writer = csv::Writer::from_writer(Vec::new());
        let rows = self.rows.iter().map(|row| {
            let cells = row.iter().zip(&widths);
            cells
                .flat_map(|(cell, width)| fields(cell, *width))
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

    /// Fields of a column: 3 of an interval, 2 of a range, else 1.
    fn width(&self, column: usize) -> usize {
        let head = &self.columns[column].0;
        let cells = self.rows.iter().map(|row| &row[column].value);
        let widths = cells.map(|value| match value {
            Value::Interval(_) => 3,
            Value::Range(..) => 2,
            Value::Number(_) | Value::None => 1,
        });
        let least = if head.contains("(95%)") { 3 } else { 1 };
        widths.fold(least, usize::max)
    }
}

fn fields(cell: &Cell, width: usize) -> Vec<String> {
    let mut fields = match cell.value {
        Value::Interval(interval) => [interval.estimate, interval.low, interval.high]
            .map(|v| v.to_string())
            .to_vec(),
        Value::Range(low, high) => vec![low.to_string(), high.to_string()],
        Value::Number(number) => vec![number.to_string()],
        // A dash says that nothing is known; so does an empty field.
        Value::None if width > 1 || cell.text == "–" => vec![String::new()],
        Value::None => vec![cell.text.clone()],
    };
    fields.resize(width, String::new());
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
