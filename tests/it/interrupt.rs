//! A trial that is interrupted, by SIGKILL or SIGTERM, goes on from its checkpoint
//! and ends with the bits of one that was left in peace.

use std::{
    fs,
    os::unix::process::ExitStatusExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::LazyLock,
    time::{Duration, Instant},
};

use flops_fit_trial::{Measured, Outcome, Refusal, TrialDir, TrialResult, TrialSpec};
use rustix::process::Signal;

use crate::{
    kill::{PATIENCE, send, wait_until},
    programs,
    random::Random,
    small_disk::say,
    workbench::Workbench,
};

/// One GPT of 8000 parameters, some thousand steps in a few seconds; saved every few
/// of them, so that blows meet every part of saving.
const TRIAL: &str = concat!(
    gpt!(),
    r#"
[sweep]
grid = [{ budget = 3e10, sizes = [16] }]

[train]
batch_tokens = 256
eval_tokens = 8192

[run]
micro_batch = 4
checkpoint_interval = 0.05
"#
);

/// The trial, trained in peace.
static PEACE: LazyLock<(TrialSpec, Measured)> = LazyLock::new(|| in_peace("interrupt-peace", &[]));

/// A tenth of it.
static SHORT: LazyLock<(TrialSpec, Measured)> = LazyLock::new(|| {
    let grid = "sweep.grid=[{ budget = 3e9, sizes = [16] }]";
    in_peace("interrupt-short", &["--set", grid])
});

fn in_peace(name: &str, sets: &[&str]) -> (TrialSpec, Measured) {
    let bench = Workbench::new(name, TRIAL);
    bench.run(&[&["train"], sets].concat()).expect(0);
    let trials = bench.trials("small");
    let trial = trials.values().next().expect("one trial");
    assert!(!trial.dir.checkpoints().path().exists(), "it is over");
    assert!(trial.result.environment.resumed.is_empty());
    (trial.spec.clone(), trial.measured().clone())
}

/// The same trial in a folder of its own, its worker started by hand.
struct Victim {
    dir: TrialDir,
    spec: TrialSpec,
}

impl Victim {
    fn new(name: &str) -> Self {
        Self::of(name, &PEACE.0)
    }

    fn of(name: &str, spec: &TrialSpec) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        if folder.exists() {
            fs::remove_dir_all(&folder).expect("emptied");
        }
        fs::create_dir_all(&folder).expect("made");
        let victim = Self {
            dir: TrialDir::new(folder),
            spec: spec.clone(),
        };
        victim.dir.write_spec(&victim.spec).expect("written");
        victim
    }

    fn start(&self) -> Child {
        let log = fs::File::create(self.dir.log_path()).expect("created");
        Command::new(programs::built("flops-fit-worker"))
            .arg("train")
            .arg(self.dir.path())
            .envs([("OMP_NUM_THREADS", "1"), ("MKL_NUM_THREADS", "1")])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("started")
    }

    /// Lets it train until it was saved after `step`, and for `pause` more, then
    /// sends `signal`.
    fn strike(&self, step: u64, pause: Duration, signal: Signal) -> ExitStatus {
        self.strike_once(|saved| saved.last() >= Some(&step), pause, signal)
    }

    /// The same, once its checkpoints are as `ready` wants them.
    fn strike_once(
        &self,
        ready: impl Fn(&[u64]) -> bool,
        pause: Duration,
        signal: Signal,
    ) -> ExitStatus {
        let mut worker = self.start();
        let begun = Instant::now();
        while !ready(&checkpoints(&self.dir)) {
            let ended = worker.try_wait().expect("a child");
            assert!(ended.is_none(), "{ended:?}: {}", self.log());
            assert!(begun.elapsed() < PATIENCE, "not saved: {}", self.log());
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(pause);
        send(signal, worker.id());
        worker.wait().expect("reaped")
    }

    /// Step of the latest checkpoint.
    fn latest(&self) -> Option<u64> {
        checkpoints(&self.dir).last().copied()
    }

    fn finish(&self) -> TrialResult {
        let status = self.start().wait().expect("reaped");
        assert!(status.success(), "{status}: {}", self.log());
        let result = self.dir.result().expect("readable");
        result.expect("a result")
    }

    fn log(&self) -> String {
        fs::read_to_string(self.dir.log_path()).unwrap_or_default()
    }
}

/// Steps of all checkpoints, earliest first.
fn checkpoints(dir: &TrialDir) -> Vec<u64> {
    let Ok(all) = fs::read_dir(dir.checkpoints().path()) else {
        return Vec::new();
    };
    let step = |path: PathBuf| {
        let is_index = path.extension().is_some_and(|kind| kind == "json");
        is_index.then(|| path.file_stem()?.to_str()?.parse().ok())?
    };
    let mut steps: Vec<u64> = all.filter_map(|entry| step(entry.ok()?.path())).collect();
    steps.sort_unstable();
    steps
}

/// Every number, to the last bit.
#[track_caller]
fn same_bits(result: &TrialResult) {
    same_bits_as(&PEACE.1, result);
}

#[track_caller]
fn same_bits_as(peace: &Measured, result: &TrialResult) {
    let Outcome::Completed { measured } = &result.outcome else {
        panic!("it did not complete: {:?}", result.outcome);
    };
    let text = |measured: &Measured| serde_json::to_string(measured).expect("plain data");
    assert_eq!(text(measured), text(peace));
}

#[test]
fn struck_at_fifty_moments_it_ends_with_the_same_bits() {
    const BLOWS: usize = 50;
    let victim = Victim::new("interrupt-fifty");
    let mut random = Random::new(11);
    let steps = victim.spec.recipe.steps;
    let mut moments: Vec<u64> = (0..BLOWS).map(|_| random.below(steps * 3 / 4)).collect();
    moments.sort_unstable();
    let (mut killed, mut stopped) = (0, 0);
    for step in moments {
        let signal = if random.below(2) == 0 {
            Signal::KILL
        } else {
            Signal::TERM
        };
        let before = checkpoints(&victim.dir);
        let status = victim.strike(step, random.milliseconds(0, 150), signal);
        assert_eq!(status.signal(), Some(signal.as_raw()), "{}", victim.log());
        let after = checkpoints(&victim.dir);
        assert!(after.last() >= before.last(), "what was saved is lost");
        let most = match signal {
            // It may fall between the newest's birth and the oldest's end.
            Signal::KILL => before.len().max(2) + 1,
            // Before the first save of this worker, what SIGKILL left is still there.
            _ if after.last() == before.last() => before.len(),
            _ => 2,
        };
        assert!(after.len() <= most, "{before:?}, then {after:?}");
        if signal == Signal::KILL {
            killed += 1;
        } else {
            stopped += 1;
        }
    }
    let result = victim.finish();
    same_bits(&result);
    let environment = &result.environment;
    assert!(environment.refused.is_empty(), "{:?}", environment.refused);
    let resumed: Vec<u64> = environment.resumed.iter().map(|r| r.step).collect();
    assert!(resumed.is_sorted() && resumed.last() > Some(&(steps / 2)));
    assert!(!victim.dir.checkpoints().path().exists());
    say(&format!(
        "interrupt: {killed} SIGKILL and {stopped} SIGTERM over {steps} steps, continued {} times; \
         every bit as in peace",
        resumed.len()
    ));
}

#[test]
fn sigterm_loses_no_step() {
    let victim = Victim::new("interrupt-term");
    let status = victim.strike(100, Duration::ZERO, Signal::TERM);
    assert_eq!(status.signal(), Some(Signal::TERM.as_raw()));
    let last = victim.latest().expect("saved");
    let words = format!("stopped by SIGTERM after step {last}");
    assert!(victim.log().contains(&words), "{}", victim.log());
    let result = victim.finish();
    same_bits(&result);
    let resumed = &result.environment.resumed;
    assert_eq!(resumed.len(), 1);
    assert_eq!(resumed[0].step, last);
    assert_eq!(resumed[0].arrangement.micro_batch, Some(4));
}

#[test]
fn a_torn_checkpoint_gives_way_to_the_older_one() {
    for torn in ["json", "safetensors"] {
        let victim = Victim::new(&format!("interrupt-torn-{torn}"));
        victim.strike_once(|saved| saved.len() >= 2, Duration::ZERO, Signal::KILL);
        let steps = checkpoints(&victim.dir);
        // The blow may have fallen before the third last was taken away.
        let [.., older, latest] = steps[..] else {
            panic!("expected two checkpoints or three: {steps:?}");
        };
        let path = victim
            .dir
            .checkpoints()
            .path()
            .join(format!("{latest:012}.{torn}"));
        let file = fs::OpenOptions::new()
            .write(true)
            .open(&path)
            .expect("opened");
        let length = file.metadata().expect("it is there").len();
        file.set_len(length / 2).expect("cut");
        let result = victim.finish();
        same_bits(&result);
        let environment = &result.environment;
        assert!(
            matches!(environment.refused[..], [Refusal::Torn { step, .. }] if step == latest),
            "{:?}",
            environment.refused
        );
        assert_eq!(environment.resumed[0].step, older);
        let aside = format!("{latest:012}.{torn}.aside-1");
        assert!(victim.dir.checkpoints().path().join(aside).is_file());
    }
}

/// Power that goes while a checkpoint is written: the disk has its files in the order in
/// which they were written, and the last one is torn or whole.
#[test]
fn after_any_write_of_a_checkpoint_whole_or_torn_the_trial_goes_on() {
    let victim = Victim::of("interrupt-power", &SHORT.0);
    let half = victim.spec.recipe.steps / 2;
    let ready = |saved: &[u64]| saved.len() >= 2 && saved.last() >= Some(&half);
    victim.strike_once(ready, Duration::ZERO, Signal::KILL);
    let steps = checkpoints(&victim.dir);
    let [.., older, latest] = steps[..] else {
        panic!("expected two checkpoints or three: {steps:?}");
    };
    let folder = victim.dir.checkpoints().path().to_owned();
    let written = |step: u64, kind: &str| {
        let path = folder.join(format!("{step:012}.{kind}"));
        let bytes = fs::read(&path).expect("read");
        (path, bytes)
    };
    let [tensors, index] = ["safetensors", "json"];
    let writes = [
        (older, tensors),
        (older, index),
        (latest, tensors),
        (latest, index),
    ];
    let writes = writes.map(|(step, kind)| written(step, kind));
    // Files that are there, whether the last is whole, where training goes on, and what
    // is refused.
    for (count, whole, resumed, refused) in [
        (1, true, None, None),
        (2, false, None, Some(older)),
        (2, true, Some(older), None),
        (3, false, Some(older), None),
        (3, true, Some(older), None),
        (4, false, Some(older), Some(latest)),
        (4, true, Some(latest), None),
    ] {
        // What was not set aside, the trial has removed at its end.
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir(&folder).expect("made");
        let _ = fs::remove_file(victim.dir.result_path());
        for (number, (path, bytes)) in (1..).zip(&writes[..count]) {
            let torn = number == count && !whole;
            let length = if torn { bytes.len() / 2 } else { bytes.len() };
            fs::write(path, &bytes[..length]).expect("written");
        }
        let result = victim.finish();
        same_bits_as(&SHORT.1, &result);
        let environment = &result.environment;
        let of_resumed = environment.resumed.iter().map(|resumed| resumed.step);
        assert!(of_resumed.eq(resumed), "{count} {whole}: {environment:?}");
        let of_refused: Vec<u64> = environment
            .refused
            .iter()
            .map(|refusal| match refusal {
                Refusal::Torn { step, .. } => *step,
                other => panic!("{count} {whole}: {other:?}"),
            })
            .collect();
        assert!(
            of_refused.into_iter().eq(refused),
            "{count} {whole}: {environment:?}"
        );
    }
}

#[test]
fn a_checkpoint_of_another_build_is_set_aside_and_the_trial_starts_over() {
    let mut victim = Victim::new("interrupt-build");
    victim.strike(100, Duration::ZERO, Signal::TERM);
    let steps = checkpoints(&victim.dir);
    // Bytes after its end are not part of a library, but of its hash.
    let library = victim.dir.path().join("libflops_fit_gpt.so");
    let mut bytes = fs::read(programs::plugin("gpt")).expect("read");
    bytes.push(0);
    fs::write(&library, bytes).expect("written");
    let sum = Command::new("sha256sum").arg(&library).output();
    let sum = String::from_utf8(sum.expect("every Linux has `sha256sum`").stdout).expect("text");
    let sum = sum
        .split_whitespace()
        .next()
        .expect("a checksum")
        .to_owned();
    victim.spec.run.model.library.clone_from(&library);
    victim.spec.run.model.sha256.clone_from(&sum);
    victim.dir.write_spec(&victim.spec).expect("written");

    let result = victim.finish();
    same_bits(&result);
    assert!(result.environment.resumed.is_empty());
    let refused = &result.environment.refused;
    assert_eq!(refused.len(), steps.len());
    for (refusal, step) in refused.iter().zip(steps.iter().rev()) {
        let expected = Refusal::OtherBuild {
            step: *step,
            part: "model library".to_owned(),
            made_with: PEACE.0.run.model.sha256.clone(),
            now: sum.clone(),
        };
        assert_eq!(*refusal, expected);
        let folder = victim.dir.checkpoints();
        let reason = folder
            .path()
            .join(format!("{step:012}.json.aside-1.reason"));
        let reason = fs::read_to_string(reason).expect("a reason");
        assert_eq!(reason.trim_end(), refusal.to_string());
    }
}

#[test]
fn a_sweep_that_was_stopped_goes_on_inside_its_trial() {
    // Before the sweep begins: this takes as long as that.
    let (spec, _) = &*PEACE;
    let bench = Workbench::new("interrupt-sweep", TRIAL);
    let mut run = bench.spawn(&["run"]);
    let dir = TrialDir::under(&bench.output("small"), &spec.id);
    wait_until("no checkpoint", || !dir.checkpoints().is_empty());
    send(Signal::TERM, run.id());
    assert_eq!(run.wait().expect("reaped").code(), Some(130));
    let last = *checkpoints(&dir).last().expect("saved");
    // It is completed, though one trial carries no law.
    bench.run(&["run"]).expect(6);
    let trials = bench.trials("small");
    let result = &trials.values().next().expect("one trial").result;
    same_bits(result);
    assert_eq!(result.environment.resumed[0].step, last);
    // One curve of losses, not two.
    let progress = fs::read_to_string(dir.progress_path()).expect("read");
    let lines: Vec<serde_json::Value> = progress
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    let first = lines.first().and_then(|line| line["step"].as_u64());
    assert_eq!(first, Some(0), "{progress}");
    assert!(lines.iter().any(|line| line["step"].as_u64() == Some(last)));
}
