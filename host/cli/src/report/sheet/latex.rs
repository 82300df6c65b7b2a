//! A table for a paper: booktabs rules, numbers and laws as formulas.

use std::fmt::Write;

use super::{Lean, Sheet};

impl Sheet {
    /// A `table` environment; the document loads the package booktabs.
    pub fn latex(&self) -> String {
        let columns: String = self
            .columns
            .iter()
            .map(|(_, lean)| match lean {
                Lean::Left => 'l',
                Lean::Right => 'r',
            })
            .collect();
        let row = |cells: &mut dyn Iterator<Item = &str>| {
            let cells: Vec<String> = cells.map(latex).collect();
            cells.join(" & ") + " \\\\\n"
        };
        let mut text = format!(
            "\\begin{{table}}\n\\centering\n\\caption{{{}}}\n\\begin{{tabular}}{{{columns}}}\n\\toprule\n",
            latex(&self.title)
        );
        text += &row(&mut self.heads());
        text += "\\midrule\n";
        for cells in &self.rows {
            text += &row(&mut cells.iter().map(|cell| cell.text.as_str()));
        }
        text += "\\bottomrule\n\\end{tabular}\n";
        for remark in &self.remarks {
            let _ = write!(
                text,
                "\n\\smallskip\n{{\\footnotesize {}}}\n",
                latex(remark)
            );
        }
        text + "\\end{table}\n"
    }
}

/// A text with its symbols as LaTeX writes them: `3e11` as 3×10¹¹, `C^0.5` with a
/// raised exponent, what LaTeX would take for its own escaped.
pub(in crate::report) fn latex(text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    let mut out = String::new();
    let mut at = 0;
    while at < characters.len() {
        let starts_number = characters[at].is_ascii_digit()
            && !at
                .checked_sub(1)
                .is_some_and(|before| characters[before].is_alphanumeric());
        if starts_number && let Some((power, length)) = power_of_ten(&characters[at..]) {
            out += &power;
            at += length;
            continue;
        }
        match characters[at] {
            '^' => {
                let exponent: String = characters[at + 1..]
                    .iter()
                    .take_while(|c| c.is_ascii_digit() || matches!(c, '.' | '−' | '-'))
                    .collect();
                at += exponent.chars().count();
                let _ = write!(out, "$^{{{}}}$", exponent.replace('−', "-"));
            }
            '*' => out += "$^*$",
            '−' => out += "$-$",
            '–' => out += "--",
            '×' => out += "$\\times$",
            '÷' => out += "$\\div$",
            '·' => out += "$\\cdot$",
            '∞' => out += "$\\infty$",
            '±' => out += "$\\pm$",
            '≈' => out += "$\\approx$",
            '↑' => out += "$^{\\uparrow}$",
            '‼' => out += "$^{\\ddagger}$",
            'α' => out += "$\\alpha$",
            'β' => out += "$\\beta$",
            'δ' => out += "$\\delta$",
            '<' => out += "$<$",
            '>' => out += "$>$",
            '~' => out += "\\textasciitilde{}",
            '\\' => out += "\\textbackslash{}",
            special @ ('&' | '%' | '$' | '#' | '_' | '{' | '}') => out.extend(['\\', special]),
            plain => out.push(plain),
        }
        at += 1;
    }
    out
}

/// A number such as `6.77e-3` at the start of a text, and its length.
fn power_of_ten(characters: &[char]) -> Option<(String, usize)> {
    let mantissa: String = characters
        .iter()
        .take_while(|c| c.is_ascii_digit() || **c == '.')
        .collect();
    let mut at = mantissa.len();
    if characters.get(at) != Some(&'e') {
        return None;
    }
    at += 1;
    let mut exponent = String::new();
    if let Some('-' | '−') = characters.get(at) {
        exponent.push('-');
        at += 1;
    }
    let digits: String = characters[at..]
        .iter()
        .take_while(|c| c.is_ascii_digit())
        .collect();
    if digits.is_empty() {
        return None;
    }
    at += digits.len();
    exponent += &digits;
    let power = match mantissa.as_str() {
        "1" => format!("$10^{{{exponent}}}$"),
        _ => format!("${mantissa}\\times10^{{{exponent}}}$"),
    };
    Some((power, at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols() {
        for (text, expected) in [
            ("3e11", "$3\\times10^{11}$"),
            ("1e10 ↑", "$10^{10}$ $^{\\uparrow}$"),
            (
                "N* = 6.77e-3 · C^−0.578",
                "N$^*$ = $6.77\\times10^{-3}$ $\\cdot$ C$^{-0.578}$",
            ),
            ("4.06k (3.46k–4.75k)", "4.06k (3.46k--4.75k)"),
            ("−0.072 (−0.174 to 0.031)", "$-$0.072 ($-$0.174 to 0.031)"),
            ("5 % of a_b & {c}", "5 \\% of a\\_b \\& \\{c\\}"),
            ("e5 1e", "e5 1e"),
        ] {
            assert_eq!(latex(text), expected, "{text}");
        }
    }
}
