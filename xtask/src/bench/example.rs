//! A sweep of the examples, carried out by the command that users type.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use super::folder;
use crate::error::Error;
use crate::step;
use crate::workspace::Workspace;

/// An example's manifest with other values, and where it is carried out.
pub(super) struct Example<'a> {
    workspace: &'a Workspace,
    manifest: PathBuf,
    sets: Vec<String>,
    output: PathBuf,
}

impl<'a> Example<'a> {
    /// The example called `name`, in an empty folder called `output`.
    pub(super) fn new(
        workspace: &'a Workspace,
        name: &str,
        output: &str,
        sets: &[&str],
    ) -> Result<Self, Error> {
        let path = format!("examples/{name}/manifest.toml");
        Ok(Self {
            workspace,
            manifest: workspace.path(&path),
            sets: sets.iter().map(|&set| set.to_owned()).collect(),
            output: folder::empty(workspace, output)?,
        })
    }

    /// FLOPs that the plan comes to.
    pub(super) fn planned(&self) -> Result<f64, Error> {
        let document = self.command("plan")?;
        number(&document, "/plan/flops")
    }

    /// Trains and fits; what the analysis says.
    pub(super) fn run(&self) -> Result<Value, Error> {
        let mut document = self.command("run")?;
        Ok(document["analysis"].take())
    }

    /// FLOPs that its trials were charged.
    pub(super) fn spent(&self) -> Result<f64, Error> {
        self.total("/spent")
    }

    /// FLOPs that its trials count as.
    pub(super) fn trained(&self) -> Result<f64, Error> {
        self.total("/c")
    }

    fn total(&self, pointer: &'static str) -> Result<f64, Error> {
        let mut command = Command::new(self.workspace.built("flops-fit"));
        command.arg("status").arg(&self.output);
        let status = read(command.args(["--format", "json"]))?;
        let trials = status["trials"].as_array().map_or(&[][..], Vec::as_slice);
        trials.iter().map(|trial| number(trial, pointer)).sum()
    }

    fn command(&self, verb: &str) -> Result<Value, Error> {
        let mut command = Command::new(self.workspace.built("flops-fit"));
        command.arg(verb).arg(&self.manifest);
        command.args(["--format", "json"]);
        // A path in a manifest is relative to it; this one is not.
        command.arg("--set");
        command.arg(format!(
            "output.dir={:?}",
            self.output.display().to_string()
        ));
        let plugins = self.workspace.built("").display().to_string();
        command
            .arg("--set")
            .arg(format!("plugin_path=[{plugins:?}]"));
        for set in &self.sets {
            command.args(["--set", set]);
        }
        read(&mut command)
    }
}

fn read(command: &mut Command) -> Result<Value, Error> {
    let shown = step::shown(command);
    let output = step::read(command)?;
    serde_json::from_str(&output).map_err(|_| Error::NoFigure {
        command: shown,
        field: "a JSON document",
        output,
    })
}

/// The number at `pointer`.
pub(super) fn number(document: &Value, pointer: &'static str) -> Result<f64, Error> {
    let found = document.pointer(pointer).and_then(Value::as_f64);
    found.ok_or_else(|| Error::NoFigure {
        command: "flops-fit --format json".to_owned(),
        field: pointer,
        output: document.to_string(),
    })
}
