//! `report.html`: tables, plots and notes in one file that needs no other.

use std::fmt::Write;

use super::analysis::Analysis;
use super::plots::Figure;
use super::sheet::{Sheet, escape};
use super::table;

const STYLE: &str = "
:root { color-scheme: light; }
body { font: 15px/1.5 system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif;
       color: #262626; background: #fff; max-width: 60rem; margin: 2.5rem auto; padding: 0 1.5rem; }
h1 { font-size: 1.6rem; margin-bottom: .2rem; }
h2 { font-size: 1.15rem; margin: 2.2rem 0 .6rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .92rem; }
thead { border-top: 1.5px solid #262626; border-bottom: 1px solid #262626; }
tbody { border-bottom: 1.5px solid #262626; }
th, td { padding: .25rem .9rem .25rem 0; text-align: left; white-space: nowrap; }
th { font-weight: 600; }
.number { text-align: right; }
.scroll { overflow-x: auto; }
.remark, figcaption, .summary { color: #666; font-size: .9rem; }
figure { margin: 1.5rem 0; }
figure svg { max-width: 100%; height: auto; }
";

/// The whole page.
pub fn render(analysis: &Analysis, figures: &[Figure]) -> String {
    let name = escape(&analysis.subject.sweep);
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{name} · flops-fit</title>\n<style>{STYLE}</style>\n</head>\n<body>\n\
         <h1>{name}</h1>\n<p class=\"summary\">{}</p>\n",
        escape(&table::summary(analysis))
    );
    // Whoever opens the page wants the answer first.
    for sheet in table::sheets(analysis).iter().rev().map(Sheet::html) {
        let _ = write!(page, "<div class=\"scroll\">\n{sheet}</div>\n");
    }
    if !figures.is_empty() {
        page += "<h2>Figures</h2>\n";
    }
    for figure in figures {
        let _ = write!(
            page,
            "<figure>\n{}<figcaption>{}</figcaption>\n</figure>\n",
            figure.svg,
            escape(&figure.caption)
        );
    }
    for (title, sentences) in table::sections(analysis) {
        let _ = writeln!(page, "<h2>{title}</h2>\n<ul>");
        for sentence in sentences {
            let _ = writeln!(page, "<li>{}</li>", escape(&sentence));
        }
        page += "</ul>\n";
    }
    page += "</body>\n</html>\n";
    page
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{plots, sample};

    #[test]
    fn one_file_holds_everything() {
        let mut analysis = sample::analysis(2);
        analysis.subject.sweep = "a < b".to_owned();
        let figures = plots::figures(&analysis, &[]).expect("drawn");
        let page = render(&analysis, &figures);
        for text in [
            "<h1>a &lt; b</h1>",
            "Compute-optimal training",
            "Parameters N*",
            "<h2>Notes",
        ] {
            assert!(page.contains(text), "{text}");
        }
        assert_eq!(page.matches("<svg ").count(), figures.len());
        for foreign in ["<script", "<link", " src=", "@import"] {
            assert!(!page.contains(foreign), "{foreign}");
        }
    }
}
