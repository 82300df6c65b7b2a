//! Programs that print their figures as JSON objects, one a line.

use std::process::Command;

use serde_json::Value;

use crate::error::Error;
use crate::step;

/// Runs `command` and takes the number called `field` from the last line that
/// has one.
pub(super) fn figure(command: &mut Command, field: &'static str) -> Result<f64, Error> {
    let output = step::read(command)?;
    figure_in(&output, &step::shown(command), field)
}

/// The same, from what `command` has printed already.
pub(super) fn figure_in(output: &str, command: &str, field: &'static str) -> Result<f64, Error> {
    last_number(output, field).ok_or_else(|| Error::NoFigure {
        command: command.to_owned(),
        field,
        output: output.to_owned(),
    })
}

fn last_number(output: &str, field: &str) -> Option<f64> {
    output
        .lines()
        .rev()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .find_map(|object| object.get(field)?.as_f64())
}

#[cfg(test)]
mod tests {
    use super::last_number;

    #[test]
    fn the_last_line_with_the_field_counts() {
        let output = "warming up\n{\"median_ms\": 3}\n{\"median_ms\": 2.5}\n{\"wall_s\": 9}\n";
        assert_eq!(last_number(output, "median_ms"), Some(2.5));
        assert_eq!(last_number(output, "seconds"), None);
    }
}
