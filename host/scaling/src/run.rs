//! One finished training run, as the fits see it.
//!
//! N, D and C are what was measured; none is derived from the others here. A
//! run that failed or diverged has no place in this type.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// No number of a run is larger, or smaller than its reciprocal: nothing that is measured
/// is, and no sum of squares of the others leaves the range of numbers.
const LARGEST: f64 = 1e60;

/// A finished run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Parameters N under the convention that is being fitted; > 0.
    #[serde(deserialize_with = "number")]
    pub n: f64,
    /// Units of data seen, D (tokens or images, repeats counted); > 0.
    #[serde(deserialize_with = "number")]
    pub d: f64,
    /// Training compute C in FLOPs, as counted; > 0.
    #[serde(deserialize_with = "number")]
    pub c: f64,
    /// Held-out loss; > 0, lower is better.
    #[serde(deserialize_with = "number")]
    pub loss: f64,
    /// The budget that the run was planned for, in FLOPs. Runs that carry none
    /// are grouped by `c`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<f64>,
    /// Weight in every fit, relative to the other runs (1 where absent): the
    /// loss's variance is taken as inversely proportional to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<f64>,
    /// Seed of the trial. Two rows that agree in everything are the same run
    /// unless their seeds differ.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// Runs that share an error (branches of one trunk) share a group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Distinct units in the training data; absent when nothing repeats.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unique: Option<f64>,
    /// N under further conventions, by name (`all`, `non_embedding` …).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub counts: BTreeMap<String, f64>,
    /// Earlier losses of the run that a run stopped there would have had: those of a
    /// constant-rate schedule, each with a cool-down of its own. A loss on the way
    /// of a decaying schedule is not honest and has no place here. Branches of
    /// one trunk are runs of their own instead, joined by `group`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub curve: Vec<CurvePoint>,
    /// The run that diverged and that this one tried again, with a lower learning rate
    /// than the others': it says what is possible, not what the recipe reaches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_of: Option<String>,
    /// Name of the run in messages (a trial's id, a row's number).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
}

/// JSON has no word for what is no number: it is written and read as null.
fn number<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or(f64::NAN))
}

/// A finished run's state at an earlier point.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CurvePoint {
    /// Units of data seen by then; > 0.
    pub d: f64,
    /// FLOPs spent by then; > 0.
    pub c: f64,
    /// Held-out loss; > 0.
    pub loss: f64,
}

impl Run {
    /// A run with the four measured numbers and nothing else.
    pub fn new(n: f64, d: f64, c: f64, loss: f64) -> Self {
        Self {
            n,
            d,
            c,
            loss,
            budget: None,
            weight: None,
            seed: None,
            group: None,
            unique: None,
            counts: BTreeMap::new(),
            curve: Vec::new(),
            retry_of: None,
            label: None,
        }
    }

    /// Passes over the data, D / unique; `None` when nothing is known to repeat.
    pub fn repeats(&self) -> Option<f64> {
        self.unique.map(|unique| self.d / unique)
    }

    /// Checks every number: above 0, and no farther from 1 than sums of its powers can
    /// be computed.
    ///
    /// # Errors
    /// [`RunError`] names the first field that is not within 1e-60 and 1e60.
    pub fn check(&self, row: usize) -> Result<(), RunError> {
        let fields = [
            ("n", Some(self.n)),
            ("d", Some(self.d)),
            ("c", Some(self.c)),
            ("loss", Some(self.loss)),
            ("budget", self.budget),
            ("weight", self.weight),
            ("unique", self.unique),
        ];
        let curve = self.curve.iter().flat_map(|point| {
            [
                ("curve.d", Some(point.d)),
                ("curve.c", Some(point.c)),
                ("curve.loss", Some(point.loss)),
            ]
        });
        let counts = self.counts.values().map(|&count| ("counts", Some(count)));
        for (field, value) in fields.into_iter().chain(curve).chain(counts) {
            if let Some(value) = value
                && !(1.0 / LARGEST..=LARGEST).contains(&value)
            {
                return Err(RunError {
                    row,
                    label: self.label.clone(),
                    field,
                    value,
                });
            }
        }
        Ok(())
    }
}

/// A run with a number that no law can be fitted to.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error(
    "run {row}{}: {field} is {value}, expected a finite number above 0 (1e-60 to 1e60); correct the row or leave it out",
    .label.as_ref().map(|l| format!(" ({l})")).unwrap_or_default()
)]
pub struct RunError {
    /// Position in the list that was given, from 0.
    pub row: usize,
    /// The run's label, where it has one.
    pub label: Option<String>,
    /// Name of the field.
    pub field: &'static str,
    /// What it holds.
    pub value: f64,
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_number_reads_back_as_none() {
        let run = Run::new(1e6, 2e7, f64::INFINITY, f64::NAN);
        let text = serde_json::to_string(&run).unwrap();
        let again: Run = serde_json::from_str(&text).unwrap();
        assert!(again.loss.is_nan() && again.c.is_nan());
        assert_eq!(
            (again.n.to_bits(), again.d.to_bits()),
            (run.n.to_bits(), run.d.to_bits())
        );
        assert!(again.check(0).is_err());
    }
}
