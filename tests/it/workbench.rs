//! A folder with a manifest, and commands that run in it.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use flops_fit_trial::{Measured, Outcome, TrialDir, TrialResult, TrialSpec};

use crate::{kill::PATIENCE, programs, small_disk::namespace};

/// Names a folder to work in, where a test runs as a user who may not write to cargo's.
pub(crate) const FOLDER: &str = "FLOPS_FIT_TEST_FOLDER";

/// A folder below cargo's for such tests. It is emptied first and left behind,
/// so that a failed test can be looked into.
pub(crate) struct Workbench {
    folder: PathBuf,
}

/// What a command printed and how it ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// A trial that has ended.
pub(crate) struct Trial {
    pub(crate) dir: TrialDir,
    pub(crate) spec: TrialSpec,
    pub(crate) result: TrialResult,
}

impl Workbench {
    /// `name` must be this test's own.
    pub(crate) fn new(name: &str, manifest: &str) -> Self {
        let mut folder = std::env::var_os(FOLDER)
            .map_or_else(|| PathBuf::from(env!("CARGO_TARGET_TMPDIR")), PathBuf::from);
        if let Some(test) = namespace() {
            // The same test may be at work outside, and others in namespaces of theirs.
            folder.push("namespace");
            folder.push(test.replace("::", "-"));
        }
        folder.push(name);
        if folder.exists() {
            fs::remove_dir_all(&folder).expect("emptied");
        }
        fs::create_dir_all(&folder).expect("made");
        for library in ["gpt", "hostile"] {
            programs::plugin(library);
        }
        let bench = Self { folder };
        fs::write(bench.path("manifest.toml"), manifest).expect("written");
        bench
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        self.set_up(Command::new(programs::flops_fit()), arguments)
    }

    fn set_up(&self, mut command: Command, arguments: &[&str]) -> Command {
        command
            .args(arguments)
            .current_dir(&self.folder)
            .env_remove("FLOPS_FIT_WORKER")
            // A backtrace would push a panic's message out of a log's last lines.
            .env_remove("RUST_BACKTRACE")
            .stdin(Stdio::null());
        command
    }

    /// Runs a command to its end, after which nothing of it may be left: no process
    /// that names this folder, and none of the command's session, zombies included.
    #[track_caller]
    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        self.run_with(arguments, &[])
    }

    /// The same, with variables of its environment.
    #[track_caller]
    pub(crate) fn run_with(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Ended {
        let mut session = Command::new("setsid");
        session.arg(programs::flops_fit());
        let child = self
            .set_up(session, arguments)
            .envs(variables.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("started");
        let session = child.id();
        let output = child.wait_with_output().expect("reaped");
        let begun = Instant::now();
        loop {
            let left = left_behind(session, &self.folder);
            if left.is_empty() {
                return self.ended(&output);
            }
            assert!(begun.elapsed() < PATIENCE, "{arguments:?} left {left:?}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Starts a command whose words nobody reads.
    pub(crate) fn spawn(&self, arguments: &[&str]) -> Child {
        self.command(arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("started")
    }

    pub(crate) fn ended(&self, output: &Output) -> Ended {
        let folder = self.folder.display().to_string();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace(&folder, "[dir]");
        Ended {
            code: output.status.code(),
            out: text(&output.stdout),
            err: text(&output.stderr),
        }
    }

    /// The folder of the sweep `name`.
    pub(crate) fn output(&self, name: &str) -> PathBuf {
        self.path("outputs").join(name)
    }

    /// The trials of the sweep `name` that have a result, by id.
    pub(crate) fn trials(&self, name: &str) -> BTreeMap<String, Trial> {
        let Ok(folders) = fs::read_dir(self.output(name).join("trials")) else {
            return BTreeMap::new();
        };
        folders
            .filter_map(|entry| {
                let dir = TrialDir::new(entry.expect("listed").path());
                let result = dir.result().expect("readable")?;
                let spec = dir.spec().expect("readable");
                Some((spec.id.as_str().to_owned(), Trial { dir, spec, result }))
            })
            .collect()
    }
}

/// The processes of `session`, and those whose command line or environment names
/// something in `folder`.
fn left_behind(session: u32, folder: &Path) -> Vec<String> {
    let folder = format!("{}/", folder.display()).into_bytes();
    let processes = fs::read_dir("/proc").expect("a Linux system");
    let is_left = |process: &Path| {
        let read = |file: &str| fs::read(process.join(file)).unwrap_or_default();
        let stat = String::from_utf8_lossy(&read("stat")).into_owned();
        // pid (name) state parent group session …; the name may hold anything.
        let of = stat.rsplit_once(") ").and_then(|(_, rest)| {
            let mut fields = rest.split_whitespace();
            fields.nth(3)?.parse::<u32>().ok()
        });
        let names = |text: Vec<u8>| text.windows(folder.len()).any(|part| part == folder);
        let left = of == Some(session) || names(read("cmdline")) || names(read("environ"));
        left.then_some(stat)
    };
    processes
        .filter_map(|entry| is_left(&entry.ok()?.path()))
        .collect()
}

impl Ended {
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}\n{}", self.out, self.err);
        self
    }
}

impl Trial {
    /// What was measured, of a trial that must have completed.
    #[track_caller]
    pub(crate) fn measured(&self) -> &Measured {
        match &self.result.outcome {
            Outcome::Completed { measured } => measured,
            other => panic!("{} did not complete: {other:?}", self.dir.path().display()),
        }
    }
}
