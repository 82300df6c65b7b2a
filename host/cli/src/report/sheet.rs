//! A table of texts, and how it looks in a terminal, in Markdown and in HTML.

use std::fmt::Write;

/// To which side a column's texts lean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lean {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// A table with a title, and remarks below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sheet {
    /// What the table is.
    pub title: String,
    /// Head of each column and where its texts lean.
    pub columns: Vec<(String, Lean)>,
    /// As many texts in each row as there are columns.
    pub rows: Vec<Vec<String>>,
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

    /// Aligned columns between rules, as papers set them.
    pub fn text(&self) -> String {
        let widths: Vec<usize> = (0..self.columns.len())
            .map(|column| {
                let cells = self.rows.iter().map(|row| width(&row[column]));
                cells.fold(width(&self.columns[column].0), usize::max)
            })
            .collect();
        let line = |cells: &mut dyn Iterator<Item = &String>| {
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
        text += &line(&mut self.columns.iter().map(|(head, _)| head));
        text.extend(["  ", &rule, "\n"]);
        for row in &self.rows {
            text += &line(&mut row.iter());
        }
        text.extend(["  ", &rule, "\n"]);
        for remark in &self.remarks {
            text.extend(["  ", remark, "\n"]);
        }
        text
    }

    /// A section with a pipe table.
    pub fn markdown(&self) -> String {
        let mut text = format!("## {}\n\n", self.title);
        let row = |cells: &mut dyn Iterator<Item = &String>| {
            let cells: Vec<String> = cells
                .map(|cell| cell.replace('*', "\\*").replace('|', "\\|"))
                .collect();
            format!("| {} |\n", cells.join(" | "))
        };
        text += &row(&mut self.columns.iter().map(|(head, _)| head));
        for (_, lean) in &self.columns {
            text += match lean {
                Lean::Left => "|:---",
                Lean::Right => "|---:",
            };
        }
        text += "|\n";
        for cells in &self.rows {
            text += &row(&mut cells.iter());
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
                let _ = write!(text, "<td{}>{}</td>", class(*lean), escape(cell));
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
        let mut sheet = Sheet::new("Minima", &[("C", Lean::Right), ("why | how", Lean::Left)]);
        sheet.rows = vec![
            vec!["1e10".to_owned(), "N* < 2".to_owned()],
            vec!["3".to_owned(), "–".to_owned()],
        ];
        sheet.remarks = vec!["C & D".to_owned()];
        sheet
    }

    #[test]
    fn text() {
        insta::assert_snapshot!(sheet().text(), @"
    Minima
      ───────────────
         C  why | how
      ───────────────
      1e10  N* < 2
         3  –
      ───────────────
      C & D
    ");
    }

    #[test]
    fn markdown() {
        insta::assert_snapshot!(sheet().markdown(), @r"
    ## Minima

    | C | why \| how |
    |---:|:---|
    | 1e10 | N\* < 2 |
    | 3 | – |

    C & D
    ");
    }

    #[test]
    fn html() {
        insta::assert_snapshot!(sheet().html(), @r#"
    <h2>Minima</h2>
    <table>
    <thead><tr><th class="number">C</th><th>why | how</th></tr></thead>
    <tbody>
    <tr><td class="number">1e10</td><td>N* &lt; 2</td></tr>
    <tr><td class="number">3</td><td>–</td></tr>
    </tbody>
    </table>
    <p class="remark">C &amp; D</p>
    "#);
    }
}
