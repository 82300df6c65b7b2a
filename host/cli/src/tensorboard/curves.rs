//! One trial's curves.

use std::{io, path::Path};

use flops_fit_trial::{Measured, Outcome, Progress, ProgressReader, Stage};

use super::file::{EventFile, now};

/// A trial whose progress is copied into an event file.
#[derive(Debug)]
pub(super) struct Curves {
    file: EventFile,
    reader: ProgressReader,
    /// Step of the last line, if there was one.
    step: Option<u64>,
}

impl Curves {
    /// Begins a file in `folder` with all that `progress`, which need not exist yet, has
    /// and will have.
    pub(super) fn begin(folder: &Path, progress: &Path) -> io::Result<Self> {
        Ok(Self {
            file: EventFile::create(folder)?,
            reader: ProgressReader::new(progress),
            step: None,
        })
    }

    /// Copies what is new.
    pub(super) fn follow(&mut self) -> io::Result<()> {
        loop {
            let lines = self.reader.poll();
            if lines.is_empty() {
                return Ok(());
            }
            for line in &lines {
                self.copy(line)?;
            }
        }
    }

    fn copy(&mut self, line: &Progress) -> io::Result<()> {
        let time = line.time.unwrap_or_else(now);
        // A trial that was continued takes some steps again; a new file begins with all.
        if self.step.is_none_or(|last| line.step < last) {
            self.file.restart(time, line.step)?;
        }
        self.step = Some(line.step);
        let trains = line.stage == Stage::Train;
        let values = [
            ("train/loss", line.loss),
            ("train/lr", (trains && line.lr > 0.0).then_some(line.lr)),
            ("train/grad_norm", line.grad_norm),
            ("train/units", trains.then_some(line.units as f64)),
            ("speed/units_per_second", line.units_per_second),
            ("speed/flops_per_second", line.flops_per_second),
            ("speed/gemm_share", line.gemm_share),
        ];
        let known = values.into_iter().filter_map(|(tag, v)| Some((tag, v?)));
        self.file.scalars(time, line.step, known)
    }

    /// Adds what was measured at the end, after which nothing comes.
    pub(super) fn end(&mut self, outcome: &Outcome) -> io::Result<()> {
        if let Outcome::Completed { measured } = outcome {
            self.measured(measured)?;
        }
        self.file.stop()
    }

    fn measured(&mut self, measured: &Measured) -> io::Result<()> {
        let metrics = measured.metrics.iter();
        let metrics: Vec<_> = metrics
            .map(|(name, value)| (format!("held_out/{name}"), *value))
            .collect();
        let metrics = metrics.iter().map(|(tag, value)| (tag.as_str(), *value));
        let values = [("held_out/loss", measured.loss)]
            .into_iter()
            .chain(metrics);
        self.file.scalars(now(), measured.steps, values)
    }
}
