//! A table: texts with the numbers behind them, and how it looks in a terminal, in
//! Markdown, in HTML, in LaTeX and as values.
//!
//! What it keeps true: whatever a table is written as, it is this one, so that no
//! two of them can disagree.

mod csv;
mod latex;

use std::fmt::Write;

use flops_fit_scaling::Interval;

/// To which side a column's texts lean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lean {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// A text in a table, with its number where it has one.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    /// As it is read.
    pub text: String,
    /// As it is computed with.
    pub value: Value,
}

/// The number behind a text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value {
    /// It is a word, or nothing is known.
    None,
    /// A number.
    Number(f64),
    /// An estimate between its bounds.
    Interval(Interval),
    /// A lower and an upper end.
    Range(f64, f64),
}

impl Cell {
    /// A number as `text` shows it.
    pub fn number(value: f64, text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            value: Value::Number(value),
        }
    }

    /// A range as `text` shows it.
    pub fn range([low, high]: [f64; 2], text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            value: Value::Range(low, high),
        }
    }

    /// An interval as `text` shows it.
    pub fn interval(interval: &Interval, text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            value: Value::Interval(*interval),
        }
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self {
            text,
            value: Value::None,
        }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

/// A table with a title, and remarks below it.
#[derive(Debug, Clone, PartialEq)]
pub struct Sheet {
    /// What the table is.
    pub title: String,
    /// Head of each column and where its texts lean.
    pub columns: Vec<(String, Lean)>,
    /// As many cells in each row as there are columns.
    pub rows: Vec<Vec<Cell>>,
    /// Remarks.
    pub remarks: Vec<String>,
}

impl Sheet {
    /// A table without rows.
    pub fn new(title: impl Into<String>, columns: &[(&str, Lean)]) -> Self {
        Self {
            title: title.into(),
            columns: columns
                .iter()
                .map(|(head, lean)| ((*head).to_owned(), *lean))
                .collect(),
            rows: Vec::new(),
            remarks: Vec::new(),
        }
    }

    /// Adds a row with a cell for each column.
    pub fn push<C: Into<Cell>>(&mut self, cells: impl IntoIterator<Item = C>) {
        self.rows.push(cells.into_iter().map(Into::into).collect());
    }

    fn heads(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|(head, _)| head.as_str())
    }

    /// Aligned columns between rules, as papers set them.
    pub fn text(&self) -> String {
        let widths: Vec<usize> = (0..self.columns.len())
            .map(|column| {
                let cells = self.rows.iter().map(|row| width(&row[column].text));
                cells.fold(width(&self.columns[column].0), usize::max)
            })
            .collect();
        let line = |cells: &mut dyn Iterator<Item = &str>| {
            let mut line = String::new();
            for ((cell, column), width) in cells.zip(&self.columns).zip(&widths) {
                let pad = " ".repeat(width - self::width(cell));
                match column.1 {
                    Lean::Left => line.extend(["  ", cell, &pad]),
                    Lean::Right => line.extend(["  ", &pad, cell]),
                }
            }
            line.trim_end().to_owned() + "\n"
        };
        let rule = "─".repeat(widths.iter().sum::<usize>() + 2 * (widths.len() - 1));
        let mut text = format!("{}\n  {rule}\n", self.title);
        text += &line(&mut self.heads());
        text.extend(["  ", &rule, "\n"]);
        for row in &self.rows {
            text += &line(&mut row.iter().map(|cell| cell.text.as_str()));
        }
        text.extend(["  ", &rule, "\n"]);
        for remark in &self.remarks {
            text += &paragraph(remark, "  ");
        }
        text
    }

    /// A section with a pipe table.
    pub fn markdown(&self) -> String {
        let mut text = format!("## {}\n\n", self.title);
        let row = |cells: &mut dyn Iterator<Item = &str>| {
            let cells: Vec<String> = cells
                .map(|cell| cell.replace('*', "\\*").replace('|', "\\|"))
                .collect();
            format!("| {} |\n", cells.join(" | "))
        };
        text += &row(&mut self.heads());
        for (_, lean) in &self.columns {
            text += match lean {
                Lean::Left => "|:---",
                Lean::Right => "|---:",
            };
        }
        text += "|\n";
        for cells in &self.rows {
            text += &row(&mut cells.iter().map(|cell| cell.text.as_str()));
        }
        for remark in &self.remarks {
            let _ = write!(text, "\n{}\n", remark.replace('*', "\\*"));
        }
        text
    }

    /// A section with a table.
    pub fn html(&self) -> String {
        let mut text = format!("<h2>{}</h2>\n<table>\n<thead><tr>", escape(&self.title));
        let class = |lean: Lean| match lean {
            Lean::Left => "",
            Lean::Right => " class=\"number\"",
        };
        for (head, lean) in &self.columns {
            let _ = write!(text, "<th{}>{}</th>", class(*lean), escape(head));
        }
        text += "</tr></thead>\n<tbody>\n";
        for row in &self.rows {
            text += "<tr>";
            for (cell, (_, lean)) in row.iter().zip(&self.columns) {
                let _ = write!(text, "<td{}>{}</td>", class(*lean), escape(&cell.text));
            }
            text += "</tr>\n";
        }
        text += "</tbody>\n</table>\n";
        for remark in &self.remarks {
            let _ = writeln!(text, "<p class=\"remark\">{}</p>", escape(remark));
        }
        text
    }
}

/// Columns of a terminal that sentences are kept within.
const LINE: usize = 100;

/// A sentence in lines that fit a terminal, the first after `lead`, the others below
/// its text.
pub(crate) fn paragraph(sentence: &str, lead: &str) -> String {
    let indent = " ".repeat(width(lead));
    let mut text = lead.to_owned();
    let mut room = LINE - width(lead);
    let mut is_first = true;
    for word in sentence.split(' ') {
        let needed = width(word) + usize::from(!is_first);
        if needed > room && !is_first {
            text.extend(["\n", &indent]);
            room = LINE - width(lead);
            is_first = true;
        }
        if !is_first {
            text.push(' ');
        }
        text += word;
        room = room.saturating_sub(width(word) + usize::from(!is_first));
        is_first = false;
    }
    text + "\n"
}

/// Columns of a terminal: every character used here takes one.
fn width(text: &str) -> usize {
    text.chars().count()
}

/// Text with the characters that HTML gives a meaning spelled out.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sheet() -> Sheet {
        let columns = [
            ("C", Lean::Right),
            ("why | how", Lean::Left),
            ("band", Lean::Right),
        ];
        let mut sheet = Sheet::new("Minima", &columns);
        let interval = Interval {
            estimate: 1e10,
            low: 9e9,
            high: 1.25e10,
        };
        let range = Cell::range([2.0, 3.5], "2–3.5");
        sheet.push([Cell::interval(&interval, "1e10"), "N* < 2".into(), range]);
        sheet.push([Cell::number(3.0, "3"), "–".into(), "–".into()]);
        sheet.remarks = vec!["C & D".to_owned()];
        sheet
    }

    #[test]
    fn text() {
        insta::assert_snapshot!(sheet().text(), @"
    Minima
      ──────────────────────
         C  why | how   band
      ──────────────────────
      1e10  N* < 2     2–3.5
         3  –              –
      ──────────────────────
      C & D
    ");
    }

    #[test]
    fn sentences_are_kept_within_a_terminal_s_lines() {
        let word = "x".repeat(30);
        let text = paragraph(&[word.as_str(); 5].join(" "), "  · ");
        let expected = format!("  · {word} {word} {word}\n    {word} {word}\n");
        assert_eq!(text, expected);
        let long = "y".repeat(150);
        assert_eq!(paragraph(&long, "  "), format!("  {long}\n"));
        assert_eq!(paragraph("", "  "), "  \n");
    }

    #[test]
    fn markdown() {
        insta::assert_snapshot!(sheet().markdown(), @r"
    ## Minima

    | C | why \| how | band |
    |---:|:---|---:|
    | 1e10 | N\* < 2 | 2–3.5 |
    | 3 | – | – |

    C & D
    ");
    }

    #[test]
    fn html() {
        insta::assert_snapshot!(sheet().html(), @r#"
    <h2>Minima</h2>
    <table>
    <thead><tr><th class="number">C</th><th>why | how</th><th class="number">band</th></tr></thead>
    <tbody>
    <tr><td class="number">1e10</td><td>N* &lt; 2</td><td class="number">2–3.5</td></tr>
    <tr><td class="number">3</td><td>–</td><td class="number">–</td></tr>
    </tbody>
    </table>
    <p class="remark">C &amp; D</p>
    "#);
    }

    #[test]
    fn latex() {
        insta::assert_snapshot!(sheet().latex(), @r"
    \begin{table}
    \centering
    \caption{Minima}
    \begin{tabular}{rlr}
    \toprule
    C & why | how & band \\
    \midrule
    $10^{10}$ & N$^*$ $<$ 2 & 2--3.5 \\
    3 & -- & -- \\
    \bottomrule
    \end{tabular}

    \smallskip
    {\footnotesize C \& D}
    \end{table}
    ");
    }

    #[test]
    fn csv() {
        insta::assert_snapshot!(sheet().csv(), @r"
    c,c_low,c_high,why_how,band_low,band_high
    10000000000,9000000000,12500000000,N* < 2,2,3.5
    3,,,,,
    ");
    }
}
