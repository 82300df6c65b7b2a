//! A folder with a manifest, a plugin that is nothing but a record, and the
//! fake worker.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use flops_fit::interrupt::is_ignored;
use flops_fit_trial::{
    Arrangement, Build, Checkpoint, CheckpointDir, Content, FORMAT, Position, TrialId,
};
use rustix::process::{Pid, Signal, kill_process};

const FLOPS_FIT: &str = env!("CARGO_BIN_EXE_flops-fit");

/// The folder; gone when it is dropped.
pub(crate) struct Workbench {
    folder: tempfile::TempDir,
}

/// A command that runs beside the test, and is killed where the test fails.
pub(crate) struct Spawned(Option<Child>);

impl Spawned {
    /// Its output is kept for [`Spawned::output`].
    pub(crate) fn start(command: &mut Command) -> Self {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        Self(Some(command.spawn().expect("started")))
    }

    fn child(&mut self) -> &mut Child {
        self.0.as_mut().expect("not waited for yet")
    }

    pub(crate) fn id(&self) -> u32 {
        self.0.as_ref().expect("not waited for yet").id()
    }

    pub(crate) fn signal(&mut self, signal: Signal) {
        kill_process(Pid::from_child(self.child()), signal).expect("signalled");
    }

    /// Kills and reaps it.
    pub(crate) fn kill(mut self) {
        self.child().kill().expect("killed");
        self.child().wait().expect("reaped");
        self.0 = None;
    }

    /// Waits for its end.
    pub(crate) fn output(mut self) -> Output {
        let child = self.0.take().expect("not waited for yet");
        child.wait_with_output().expect("reaped")
    }
}

impl Drop for Spawned {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            // A stopped one can be killed too.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// What a command printed and how it ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

pub(crate) const MANIFEST: &str = r#"
name = "demo"

[model]
plugin = "fake"
kind = "gpt"
size_param = "d_model"

[model.config]
n_layer = 2

[dataset]
kind = "stories"

[loss]
kind = "cross_entropy"

[sweep]
grid = [
    { budget = 1e9, sizes = [4, 8, 12, 16, 24] },
    { budget = 3e9, sizes = [8, 12, 16, 24, 32] },
    { budget = 1e10, sizes = [8, 16, 24, 32, 48] },
]
min_steps = 20

[run]
jobs = 4
"#;

impl Workbench {
    pub(crate) fn new() -> Self {
        Self::with(MANIFEST)
    }

    pub(crate) fn with(manifest: &str) -> Self {
        Self::named("bench", manifest)
    }

    /// In a folder whose name begins with `name`.
    pub(crate) fn named(name: impl AsRef<OsStr>, manifest: &str) -> Self {
        let folder = tempfile::Builder::new().prefix(name.as_ref()).tempdir();
        let bench = Self {
            folder: folder.expect("temporary folder"),
        };
        fs::write(bench.path("manifest.toml"), manifest).expect("written");
        fs::write(bench.path("libfake.so"), plugin("fake", EXPORTS)).expect("written");
        bench
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        self.set_up(Command::new(FLOPS_FIT), arguments)
    }

    /// The same by a shell that does `line` first and is then replaced by the command.
    pub(crate) fn shell(&self, line: &str, arguments: &[&str]) -> Command {
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("{line}\nexec \"$@\""), "sh", FLOPS_FIT]);
        self.set_up(shell, arguments)
    }

    fn set_up(&self, mut command: Command, arguments: &[&str]) -> Command {
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env("FLOPS_FIT_WORKER", fake_worker())
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        self.ended(&self.command(arguments).output().expect("started"))
    }

    pub(crate) fn spawn(&self, arguments: &[&str]) -> Spawned {
        Spawned::start(&mut self.command(arguments))
    }

    pub(crate) fn ended(&self, output: &Output) -> Ended {
        let text = |bytes: &[u8]| {
            let folder = self.folder.path().canonicalize().expect("it is there");
            String::from_utf8_lossy(bytes).replace(&folder.display().to_string(), "[dir]")
        };
        Ended {
            code: output.status.code(),
            out: text(&output.stdout),
            err: text(&output.stderr),
        }
    }

    /// The results that are there: trial's folder and text.
    pub(crate) fn results(&self) -> Vec<(PathBuf, String)> {
        let Ok(trials) = fs::read_dir(self.path("outputs/demo/trials")) else {
            return Vec::new();
        };
        trials
            .map(|entry| entry.expect("listed").path())
            .filter_map(|folder| {
                let text = fs::read_to_string(folder.join("result.json")).ok()?;
                Some((folder, text))
            })
            .collect()
    }

    /// Builds the plugin anew: its file changes, and what the fake worker does becomes what
    /// `code` says.
    pub(crate) fn rebuild(&self, code: &str) {
        fs::write(self.path("code.json"), code).expect("written");
        let path = self.path("libfake.so");
        let mut library = fs::read(&path).expect("read");
        library.push(0);
        fs::write(&path, library).expect("written");
    }

    /// `id attempt` of every trial that a worker has begun.
    pub(crate) fn trained(&self) -> Vec<String> {
        fs::read_to_string(self.path("trained.log"))
            .unwrap_or_default()
            .lines()
            .map(str::to_owned)
            .collect()
    }
}

impl Ended {
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self
    }
}

/// Leaves a checkpoint of `trial` after step 5 that says on what it was trained, and holds
/// nothing.
pub(crate) fn save_checkpoint(dir: &CheckpointDir, trial: &TrialId, arrangement: Arrangement) {
    let checkpoint = Checkpoint {
        format: FORMAT,
        trial: trial.clone(),
        build: Build {
            worker: "fake".to_owned(),
            libtorch: "none".to_owned(),
            model: String::new(),
            dataset: String::new(),
            loss: String::new(),
        },
        arrangement,
        position: Position {
            step: 5,
            ..Position::default()
        },
        resumed: Vec::new(),
        tensors: Content::default(),
    };
    let write = |path: &Path| fs::write(path, b"");
    dir.save(checkpoint, write).expect("saved");
}

/// Waits for what other processes do; `what` is said where it takes too long.
#[track_caller]
pub(crate) fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(begun.elapsed() < Duration::from_mins(5), "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// What Ctrl-C sends; SIGTERM, which means the same, where whoever runs the tests
/// ignores SIGINT, and so the command would too.
pub(crate) fn ctrl_c() -> Signal {
    if is_ignored(Signal::INT.as_raw()) {
        Signal::TERM
    } else {
        Signal::INT
    }
}

/// cargo builds a package's examples with its tests, beside `deps/`.
fn fake_worker() -> PathBuf {
    let test = std::env::current_exe().expect("the test's own path");
    let profile = test.parent().and_then(Path::parent).expect("target folder");
    let worker = profile.join("examples").join("fake_worker");
    assert!(
        worker.is_file(),
        "{} is missing; `cargo build -p flops-fit --examples` makes it",
        worker.display()
    );
    worker
}

const EXPORTS: &str = "model gpt\nmodel mlp\ndataset stories\nloss cross_entropy\n";

/// The least ELF library that carries a compatibility record.
pub(crate) fn plugin(name: &str, exports: &str) -> Vec<u8> {
    const HEADER: usize = 64;
    const NAMES: &[u8] = b"\0.flops_fit\0.shstrtab\0";
    let record = record(name, exports);
    let names_at = HEADER + record.len();
    let sections_at = names_at + NAMES.len();

    let mut file = b"\x7fELF\x02\x01\x01".to_vec();
    file.resize(16, 0);
    for half in [3_u16, 62] {
        file.extend(half.to_le_bytes()); // shared object, x86-64
    }
    file.extend(1_u32.to_le_bytes());
    for long in [0_u64, 0, sections_at as u64] {
        file.extend(long.to_le_bytes()); // entry, program and section headers
    }
    file.extend(0_u32.to_le_bytes());
    for half in [HEADER as u16, 56, 0, 64, 3, 2] {
        file.extend(half.to_le_bytes());
    }
    file.extend(&record);
    file.extend(NAMES);
    file.extend(section(0, 0, 0, 0));
    file.extend(section(1, 1, HEADER, record.len()));
    file.extend(section(12, 3, names_at, NAMES.len()));
    file
}

fn section(name: u32, kind: u32, offset: usize, size: usize) -> Vec<u8> {
    let mut header = Vec::new();
    header.extend(name.to_le_bytes());
    header.extend(kind.to_le_bytes());
    for long in [0, 0, offset as u64, size as u64] {
        header.extend(long.to_le_bytes());
    }
    header.extend([0; 8]);
    for long in [1_u64, 0] {
        header.extend(long.to_le_bytes());
    }
    header
}

fn record(name: &str, exports: &str) -> Vec<u8> {
    let mut record = b"flops-fit plugin".to_vec();
    for number in [
        flops_fit_record::ABI_MAJOR,
        flops_fit_record::ABI_MINOR,
        1292,
    ] {
        record.extend(number.to_le_bytes());
    }
    for (text, width) in [
        ("0.26.0", 16),
        ("2.13.0", 32),
        ("rustc", 64),
        ("unwind", 8),
        ("0.1.0", 16),
        (name, 64),
        ("1.0.0", 32),
        (exports, 1024),
    ] {
        let start = record.len();
        record.extend(text.bytes());
        record.resize(start + width, 0);
    }
    record
}
