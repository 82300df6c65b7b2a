//! A sweep that is struck at random again and again: workers and parent are
//! killed, files are cut short, the disk fills up. At the end every trial has
//! completed once, with the bits of a sweep that was left in peace.
//!
//! What is struck and when follows from a seed; where that meets the sweep does
//! not, so a log of the blows is kept beside the sweep.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs::{self, OpenOptions},
    path::{Path, PathBuf},
    process::Child,
    time::{Duration, Instant},
};

use flops_fit_trial::{Outcome, TrialDir, processes_of};
use rustix::process::{Pid, Signal, kill_process};

use crate::{
    determinism::losses,
    kill::{Stamp, processes, send, stamp, wait_until},
    random::Random,
    small_disk::{Mounted, SmallDisk, say},
    workbench::Workbench,
};

/// 40 GPTs of 500 to 7000 parameters, of a fraction of a second each.
const SWEEP: &str = concat!(
    gpt!(),
    r#"
[sweep]
grid = [
    { budget = 3e8, sizes = [4, 8, 12, 16] },
    { budget = 1e9, sizes = [4, 8, 12, 16] },
]
seeds = [0, 1, 2, 3, 4]
min_steps = 20

[train]
batch_tokens = 256
eval_tokens = 8192

[run]
jobs = 2
retries = 1
checkpoint_interval = 0.05
"#
);

const TRIALS: usize = 40;

#[test]
fn struck_at_random_for_a_while() {
    torture("torture::struck_at_random_for_a_while", "torture", 1, 30);
}

#[test]
#[ignore = "takes many minutes: `cargo xtask test -p flops-fit-tests -- --ignored torture`"]
fn struck_at_random_two_hundred_times() {
    torture(
        "torture::struck_at_random_two_hundred_times",
        "torture-full",
        7,
        200,
    );
}

/// What can happen to a sweep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Blow {
    WorkerKilled,
    ParentKilled,
    BothKilled,
    FileCut,
    DiskFull,
}

impl Blow {
    const ALL: [Self; 5] = [
        Self::WorkerKilled,
        Self::ParentKilled,
        Self::BothKilled,
        Self::FileCut,
        Self::DiskFull,
    ];

    fn draw(random: &mut Random) -> Self {
        match random.below(20) {
            0..10 => Self::WorkerKilled,
            10..14 => Self::ParentKilled,
            14..16 => Self::BothKilled,
            16..19 => Self::FileCut,
            _ => Self::DiskFull,
        }
    }

    fn kills(self) -> bool {
        matches!(
            self,
            Self::WorkerKilled | Self::ParentKilled | Self::BothKilled
        )
    }
}

/// The sweep under attack.
struct Victim {
    bench: Workbench,
    disk: Option<SmallDisk>,
    random: Random,
    begun: Instant,
    log: String,
    struck: BTreeMap<Blow, u32>,
    /// Results that were seen complete, and which writing of them.
    completed: BTreeMap<String, Stamp>,
    runs: u32,
    codes: BTreeMap<String, u32>,
}

fn torture(test: &str, name: &str, seed: u64, kills: u32) {
    let bench = Workbench::new(name, SWEEP);
    let disk = match SmallDisk::mount(test, &bench.path("outputs"), 16) {
        Mounted::Here(disk) => Some(disk),
        Mounted::Elsewhere => return,
        Mounted::Nowhere => None,
    };
    let peace = Workbench::new(&format!("{name}-peace"), SWEEP);
    peace.run(&["run"]).expect(0);

    let mut victim = Victim {
        bench,
        disk,
        random: Random::new(seed),
        begun: Instant::now(),
        log: String::new(),
        struck: BTreeMap::new(),
        completed: BTreeMap::new(),
        runs: 0,
        codes: BTreeMap::new(),
    };
    while victim.kills() < kills {
        victim.run_until_it_ends(kills);
    }
    if let Some(disk) = &victim.disk {
        disk.free();
    }
    let last = victim.bench.run(&["run"]).expect(0);
    victim.note("left in peace", last.out.lines().next().unwrap_or_default());
    victim.check_completed();

    let again = victim.bench.run(&["run"]).expect(0);
    let words = format!("{TRIALS} had results already in");
    assert!(again.out.contains(&words), "{}", again.out);
    each_trial_completed_once(&victim.bench);
    assert_eq!(losses(&victim.bench), losses(&peace));
    let table = |bench: &Workbench| bench.run(&["table"]).expect(0).out;
    assert_eq!(table(&victim.bench), table(&peace));
    nothing_is_left(&victim.bench);
    for blow in Blow::ALL {
        assert!(!victim.owes(blow), "no {blow:?}: {}", victim.log);
    }
    victim.report();
}

impl Victim {
    fn output(&self) -> PathBuf {
        self.bench.output("small")
    }

    fn kills(&self) -> u32 {
        let kills = self.struck.iter().filter(|(blow, _)| blow.kills());
        kills.map(|(_, count)| count).sum()
    }

    fn note(&mut self, what: &str, about: &str) {
        let at = self.begun.elapsed().as_secs_f64();
        writeln!(self.log, "{at:8.2} s  {what}: {about}").expect("a string takes all text");
        fs::write(self.bench.path("torture.log"), &self.log).expect("written");
    }

    /// One `run`, struck until it ends or is killed.
    fn run_until_it_ends(&mut self, kills: u32) {
        let mut run = self.bench.spawn(&["run"]);
        self.runs += 1;
        let mut next = Instant::now() + self.random.milliseconds(50, 1500);
        loop {
            if let Some(status) = run.try_wait().expect("a child") {
                let code = status.code().map_or("killed".to_owned(), |c| c.to_string());
                self.note("run ended", &code);
                // Never with a panic, and never by a signal that was not ours.
                assert!(
                    ["0", "1", "5", "6"].contains(&code.as_str()),
                    "{code}: {}",
                    self.log
                );
                *self.codes.entry(code).or_default() += 1;
                break;
            }
            self.see_completed();
            if Instant::now() >= next && self.kills() < kills {
                next = Instant::now() + self.random.milliseconds(50, 1500);
                if self.strike(&mut run) {
                    break;
                }
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        std::thread::sleep(self.random.milliseconds(0, 100));
    }

    /// One blow; whether the parent is gone.
    fn strike(&mut self, run: &mut Child) -> bool {
        // Each kind comes first once, so that none is left out.
        let owed = Blow::ALL.into_iter().find(|blow| self.owes(*blow));
        let blow = owed.unwrap_or_else(|| Blow::draw(&mut self.random));
        let about = match blow {
            Blow::WorkerKilled => self.kill_a_worker(),
            Blow::ParentKilled => {
                run.kill().expect("killed");
                Some(format!("process {}", run.id()))
            }
            Blow::BothKilled => {
                // Held still, the parent can't see its workers' end.
                send(Signal::STOP, run.id());
                let worker = self.kill_a_worker();
                run.kill().expect("killed");
                Some(format!("process {}, and {worker:?}", run.id()))
            }
            Blow::FileCut => self.cut_a_file(),
            Blow::DiskFull => self.fill_the_disk(),
        };
        // Nothing to strike at is no blow.
        let Some(about) = about else { return false };
        *self.struck.entry(blow).or_default() += 1;
        self.note(&format!("{blow:?}"), &about);
        let gone = matches!(blow, Blow::ParentKilled | Blow::BothKilled);
        if gone {
            run.wait().expect("reaped");
            *self.codes.entry("killed".to_owned()).or_default() += 1;
        }
        gone
    }

    /// Whether `blow` is possible here and has not been struck yet.
    fn owes(&self, blow: Blow) -> bool {
        let possible = blow != Blow::DiskFull || self.disk.is_some();
        possible && !self.struck.contains_key(&blow)
    }

    fn kill_a_worker(&mut self) -> Option<String> {
        let output = self.output().canonicalize().ok()?;
        let workers = processes_of(&output);
        let pid = *workers.get(self.random.below(workers.len() as u64) as usize)?;
        // It may have ended by itself since.
        let _ = kill_process(Pid::from_raw(pid.cast_signed())?, Signal::KILL);
        Some(format!("process {pid}"))
    }

    /// Cuts any file of the sweep to any shorter length.
    fn cut_a_file(&mut self) -> Option<String> {
        let files = files(&self.output());
        let path = files.get(self.random.below(files.len() as u64) as usize)?;
        let length = fs::metadata(path).ok()?.len();
        let cut = self.random.below(length);
        let file = OpenOptions::new().write(true).open(path).ok()?;
        // What is cut has not completed.
        if let Some(id) = trial_of(path) {
            self.completed.remove(&id);
        }
        file.set_len(cut).ok()?;
        let name = path.strip_prefix(self.output()).ok()?.display();
        Some(format!("{name} to {cut} of {length} bytes"))
    }

    fn fill_the_disk(&mut self) -> Option<String> {
        let pause = self.random.milliseconds(200, 1500);
        let disk = self.disk.as_ref()?;
        disk.fill();
        std::thread::sleep(pause);
        disk.free();
        Some(format!("for {pause:?}"))
    }

    /// A result that was complete stays as it is.
    fn check_completed(&self) {
        for (id, seen) in &self.completed {
            let path = self.output().join("trials").join(id).join("result.json");
            assert_eq!(
                stamp(&path),
                Some(*seen),
                "trial {id} was trained again: {}",
                self.log
            );
        }
    }

    fn see_completed(&mut self) {
        self.check_completed();
        let Ok(trials) = fs::read_dir(self.output().join("trials")) else {
            return;
        };
        for trial in trials.filter_map(Result::ok) {
            let id = trial.file_name().to_string_lossy().into_owned();
            if self.completed.contains_key(&id) {
                continue;
            }
            let dir = TrialDir::new(trial.path());
            // It may be written anew between the two.
            let before = stamp(&dir.result_path());
            let result = dir.result();
            if let (Some(seen), Ok(Some(result))) = (before, result)
                && stamp(&dir.result_path()) == before
                && matches!(result.outcome, Outcome::Completed { .. })
            {
                self.completed.insert(id, seen);
            }
        }
    }

    fn report(&self) {
        let blows: Vec<_> = self
            .struck
            .iter()
            .map(|(blow, count)| format!("{count} {blow:?}"))
            .collect();
        let ends: Vec<_> = self
            .codes
            .iter()
            .map(|(code, count)| format!("{count} with {code}"))
            .collect();
        let words = format!(
            "torture: {} in {:.0} s over {} runs, which ended {}; {TRIALS} trials completed once, every bit as in peace",
            blows.join(", "),
            self.begun.elapsed().as_secs_f64(),
            self.runs,
            ends.join(", ")
        );
        fs::write(
            self.bench.path("torture.log"),
            format!("{}{words}\n", self.log),
        )
        .expect("written");
        say(&words);
    }
}

/// All files below `folder` but the lock, in order of their names.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(folder).into_iter().flatten();
        for entry in entries.filter_map(Result::ok) {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => folders.push(entry.path()),
                Ok(kind) if kind.is_file() && entry.file_name() != ".lock" => {
                    files.push(entry.path());
                }
                _ => {}
            }
        }
    }
    files.sort();
    files
}

/// The trial whose result a path is.
fn trial_of(path: &Path) -> Option<String> {
    let result = path.file_name()? == "result.json";
    let folder = path.parent()?.file_name()?;
    result.then(|| folder.to_string_lossy().into_owned())
}

/// Each trial of the plan has one result, and one row of the table of runs.
fn each_trial_completed_once(bench: &Workbench) {
    let trials = bench.trials("small");
    assert_eq!(trials.len(), TRIALS);
    for trial in trials.values() {
        trial.measured();
    }
    let runs = fs::read_to_string(bench.output("small").join("runs.csv")).expect("read");
    for id in trials.keys() {
        let rows = runs.lines().filter(|line| {
            let mut fields = line.split(',');
            fields.next() == Some(id) && fields.next() == Some("completed")
        });
        assert_eq!(rows.count(), 1, "{id}: {runs}");
    }
    assert_eq!(runs.lines().count(), TRIALS + 1);
}

fn nothing_is_left(bench: &Workbench) {
    let half: Vec<PathBuf> = files(&bench.output("small"))
        .into_iter()
        .filter(|path| {
            path.file_name()
                .is_some_and(|n| n.to_string_lossy().starts_with('.'))
        })
        .collect();
    assert!(half.is_empty(), "half-written files are left: {half:?}");
    let output = bench.output("small").canonicalize().expect("it is there");
    wait_until("a process is left", || {
        processes(&output).is_empty() && processes_of(&output).is_empty()
    });
}
