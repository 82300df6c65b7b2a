//! Which devices and how many threads a trial gets: decided from what runs and what
//! waits, and from nothing else.
//!
//! Many trials on one device and one thread each are faster than one trial on many: so
//! a trial gets more, where the manifest leaves it open, only once there are too few
//! trials left to keep the machine busy, and only if its model is wide enough for the
//! work to outweigh what ranks and threads say to each other. Threads moreover only where
//! nothing else runs: the threads of one product wait for each other, and a core that
//! is busy elsewhere then holds up all of them. What has got more keeps it: trials that
//! can begin later wait until there is room beside it.
//!
//! A trial that goes on from a checkpoint gets what it was trained on before, where that
//! is free and keeps no more waiting than it has; nor less than it would get now, if it is
//! the last one.

use flops_fit_trial::Arrangement;

use crate::manifest::{Run, Share};

/// What there is to run on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// Devices, such as `cuda:0`; `cpu` may be among them several times.
    pub devices: Vec<String>,
    /// Cores that this process may use.
    pub cores: usize,
    /// Devices of a trial.
    pub devices_per_trial: Share,
    /// CPU threads of each rank.
    pub threads: Share,
}

/// What a trial runs on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// Positions in [`Machine::devices`], a rank on each.
    pub devices: Vec<usize>,
    /// CPU threads of each rank.
    pub threads: u32,
}

/// The trial that is about to begin.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// Parameters N.
    pub n: f64,
    /// Examples in an optimizer step, which ranks share.
    pub examples: u64,
    /// What it was trained on up to the checkpoint that it goes on from, if it does.
    pub earlier: Option<Arrangement>,
}

/// N from which a second thread of a core pays: a width of about 128.
const WIDE: f64 = 4e5;

/// N from which a second GPU pays, a rule of thumb: gradients and parameters cross the
/// bus once a step.
const WIDE_ON_GPU: f64 = 1e8;

impl Machine {
    /// This machine, as the manifest's `run` has it used.
    pub fn of(run: &Run) -> Self {
        Self {
            devices: run.devices.clone(),
            cores: run.cores,
            devices_per_trial: run.devices_per_trial,
            threads: run.threads,
        }
    }

    /// The same, where even the last trial gets no more than any other.
    #[must_use]
    pub fn without_tail(self) -> Self {
        Self {
            devices_per_trial: Share::Fixed(self.devices_per_trial.least()),
            threads: Share::Fixed(self.threads.least()),
            ..self
        }
    }

    /// What `trial` gets, beside those that run at `running` and before `waiting` others,
    /// which could begin as well.
    pub fn place(&self, trial: &Candidate, running: &[&Assignment], waiting: usize) -> Assignment {
        let load = |device: usize| {
            running
                .iter()
                .filter(|p| p.devices.contains(&device))
                .count()
        };
        let mut by_load: Vec<usize> = (0..self.devices.len()).collect();
        by_load.sort_by_key(|&device| (load(device), device));
        let free = by_load.iter().filter(|&&device| load(device) == 0).count();
        let is_alone = running.is_empty();
        let now = self.share(trial, is_alone, free, waiting);
        let earlier = trial.earlier.as_ref();
        let earlier = earlier.and_then(|earlier| self.as_before(earlier, is_alone, free));
        let earlier = earlier.filter(|&earlier| {
            let (room, is_last) = (self.room_of(earlier), is_alone && waiting == 0);
            (room == 1 || waiting < room) && (!is_last || room >= self.room_of(now))
        });
        let (ranks, threads) = earlier.unwrap_or(now);
        by_load.truncate(ranks);
        by_load.sort_unstable();
        Assignment {
            devices: by_load,
            threads: threads.max(1) as u32,
        }
    }

    /// Ranks and threads of `trial`, with `free` devices.
    fn share(
        &self,
        trial: &Candidate,
        is_alone: bool,
        free: usize,
        waiting: usize,
    ) -> (usize, usize) {
        let wide = trial.n >= self.least_width();
        let ranks = match self.devices_per_trial {
            Share::Fixed(ranks) => ranks,
            Share::Automatic if wide => {
                let most = usize::try_from(trial.examples).unwrap_or(usize::MAX);
                (free / (waiting + 1)).clamp(1, most.max(1))
            }
            Share::Automatic => 1,
        };
        let is_last = is_alone && waiting == 0;
        let threads = match self.threads {
            Share::Fixed(threads) => threads,
            Share::Automatic if is_last && trial.n >= WIDE && !self.has_gpus() => {
                self.cores / ranks
            }
            Share::Automatic => 1,
        };
        (ranks, threads)
    }

    /// Ranks and threads of `earlier`, where the manifest allows them, on devices of that kind
    /// that are free.
    fn as_before(
        &self,
        earlier: &Arrangement,
        is_alone: bool,
        free: usize,
    ) -> Option<(usize, usize)> {
        let (ranks, threads) = (earlier.devices.len(), earlier.threads as usize);
        let mut devices = earlier.devices.iter();
        let fit = devices.all(|device| is_gpu(device) == self.has_gpus())
            && match self.devices_per_trial {
                Share::Fixed(fixed) => ranks == fixed,
                Share::Automatic => (1..=free.max(1)).contains(&ranks),
            }
            && match self.threads {
                Share::Fixed(fixed) => threads == fixed,
                Share::Automatic => threads == 1 || (is_alone && threads * ranks <= self.cores),
            };
        fit.then_some((ranks, threads))
    }

    /// How many trials with the least share there would be room for in `place`.
    pub fn room(&self, place: &Assignment) -> usize {
        self.room_of((place.devices.len(), place.threads as usize))
    }

    fn room_of(&self, (ranks, threads): (usize, usize)) -> usize {
        let ranks = ranks / self.devices_per_trial.least();
        let threads = threads / self.threads.least();
        (ranks * threads).max(1)
    }

    /// The names of a place's devices.
    pub fn names(&self, place: &Assignment) -> Vec<String> {
        let name = |&device: &usize| self.devices[device].clone();
        place.devices.iter().map(name).collect()
    }

    fn has_gpus(&self) -> bool {
        self.devices.iter().any(|device| is_gpu(device))
    }

    fn least_width(&self) -> f64 {
        if self.has_gpus() { WIDE_ON_GPU } else { WIDE }
    }
}

fn is_gpu(device: &str) -> bool {
    device != "cpu"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(devices: &[&str], per_trial: Share, threads: Share) -> Machine {
        Machine {
            devices: devices.iter().map(|&name| name.to_owned()).collect(),
            cores: 4,
            devices_per_trial: per_trial,
            threads,
        }
    }

    fn candidate(n: f64) -> Candidate {
        Candidate {
            n,
            examples: 8,
            earlier: None,
        }
    }

    fn place(devices: &[usize]) -> Assignment {
        Assignment {
            devices: devices.to_vec(),
            threads: 1,
        }
    }

    fn before(devices: &[&str], threads: u32) -> Arrangement {
        Arrangement {
            devices: devices.iter().map(|&name| name.to_owned()).collect(),
            threads,
            micro_batch: None,
        }
    }

    /// Starts trials one after the other, and says where each goes.
    #[track_caller]
    fn check(machine: &Machine, trials: &[f64], expected: &[(&[usize], u32)]) {
        let mut running: Vec<Assignment> = Vec::new();
        for (i, &n) in trials.iter().enumerate() {
            let beside: Vec<_> = running.iter().collect();
            let place = machine.place(&candidate(n), &beside, trials.len() - 1 - i);
            running.push(place);
        }
        let found: Vec<_> = running
            .iter()
            .map(|place| (place.devices.as_slice(), place.threads))
            .collect();
        assert_eq!(found, expected);
    }

    const GPUS: &[&str] = &["cuda:0", "cuda:1", "cuda:2", "cuda:3"];
    const AUTO: Share = Share::Automatic;
    const ONE: Share = Share::Fixed(1);

    #[test]
    fn many_trials_get_a_device_each_the_least_busy_first() {
        let gpus = machine(GPUS, AUTO, AUTO);
        let each: [(&[usize], u32); 6] = [
            (&[0], 1),
            (&[1], 1),
            (&[2], 1),
            (&[3], 1),
            (&[0], 1),
            (&[1], 1),
        ];
        check(&gpus, &[1e9; 6], &each);
        check(&machine(GPUS, ONE, ONE), &[1e9; 6], &each);
        let beside = [&place(&[0]), &place(&[2]), &place(&[3])];
        assert_eq!(gpus.place(&candidate(1e9), &beside, 5).devices, [1]);
    }

    #[test]
    fn the_tail_of_wide_trials_gets_what_is_free() {
        let gpus = machine(GPUS, AUTO, AUTO);
        check(&gpus, &[1e9; 2], &[(&[0, 1], 1), (&[2, 3], 1)]);
        check(&gpus, &[1e9; 3], &[(&[0], 1), (&[1], 1), (&[2, 3], 1)]);
        check(&gpus, &[1e9], &[(&[0, 1, 2, 3], 1)]);
        check(&gpus, &[1e7], &[(&[0], 1)]);
        // Ranks share the examples of a step.
        let trial = Candidate {
            examples: 3,
            ..candidate(1e9)
        };
        assert_eq!(gpus.place(&trial, &[], 0).devices, [0, 1, 2]);
    }

    #[test]
    fn what_goes_on_gets_what_it_had_where_that_is_free() {
        let check =
            |machine: &Machine, earlier, beside: &[&Assignment], expected: (&[usize], u32)| {
                let trial = Candidate {
                    earlier: Some(earlier),
                    ..candidate(1e9)
                };
                let place = machine.place(&trial, beside, 2);
                assert_eq!((place.devices.as_slice(), place.threads), expected);
            };
        let gpus = machine(GPUS, AUTO, AUTO);
        let (first, second) = (place(&[0]), place(&[1, 2]));
        let three = || before(&["cuda:1", "cuda:5", "cuda:7"], 1);
        check(&gpus, three(), &[], (&[0, 1, 2], 1));
        check(&gpus, three(), &[&first], (&[1, 2, 3], 1));
        check(&gpus, three(), &[&second], (&[0], 1));
        check(&gpus, before(&["cpu", "cpu"], 1), &[], (&[0], 1));
        check(&gpus, before(&[], 1), &[], (&[0], 1));

        let cpu = machine(&["cpu", "cpu"], AUTO, AUTO);
        check(&cpu, before(&["cpu"], 4), &[], (&[0], 4));
        check(&cpu, before(&["cpu"], 4), &[&first], (&[1], 1));
        check(&cpu, before(&["cpu"], 8), &[], (&[0], 1));
        let fixed = machine(GPUS, Share::Fixed(2), ONE);
        check(&fixed, three(), &[], (&[0, 1], 1));
    }

    #[test]
    fn what_goes_on_neither_holds_up_many_nor_gets_less_than_the_last() {
        let check = |machine: &Machine, earlier, waiting, expected: (&[usize], u32)| {
            let trial = Candidate {
                earlier: Some(earlier),
                ..candidate(1e9)
            };
            let place = machine.place(&trial, &[], waiting);
            assert_eq!((place.devices.as_slice(), place.threads), expected);
        };
        let gpus = machine(GPUS, AUTO, AUTO);
        let three = || before(&["cuda:0", "cuda:1", "cuda:2"], 1);
        check(&gpus, three(), 2, (&[0, 1, 2], 1));
        check(&gpus, three(), 3, (&[0], 1));
        check(&gpus, three(), 0, (&[0, 1, 2, 3], 1));
        check(&gpus, before(&["cuda:0"], 1), 0, (&[0, 1, 2, 3], 1));
        // It is not the last as long as another waits.
        check(&gpus, before(&["cuda:0"], 1), 1, (&[0], 1));

        let cpu = machine(&["cpu"], ONE, AUTO);
        check(&cpu, before(&["cpu"], 4), 3, (&[0], 4));
        check(&cpu, before(&["cpu"], 4), 4, (&[0], 1));
        check(&cpu, before(&["cpu"], 1), 0, (&[0], 4));
    }

    #[test]
    fn what_has_more_leaves_room_for_less() {
        let room = |machine: &Machine, devices: &[usize], threads| {
            machine.room(&Assignment {
                devices: devices.to_vec(),
                threads,
            })
        };
        let gpus = machine(GPUS, AUTO, AUTO);
        assert_eq!(room(&gpus, &[2], 1), 1);
        assert_eq!(room(&gpus, &[0, 1, 2, 3], 1), 4);
        assert_eq!(room(&machine(&["cpu", "cpu"], AUTO, AUTO), &[0, 1], 2), 4);
        let pairs = machine(GPUS, Share::Fixed(2), Share::Fixed(3));
        assert_eq!(room(&pairs, &[0, 1], 3), 1);
    }

    #[test]
    fn a_fixed_share_is_kept_to() {
        let pairs = machine(GPUS, Share::Fixed(2), Share::Fixed(3));
        check(
            &pairs,
            &[1e3; 3],
            &[(&[0, 1], 3), (&[2, 3], 3), (&[0, 1], 3)],
        );
    }

    #[test]
    fn only_a_wide_model_alone_gets_several_threads() {
        let cpu = machine(&["cpu"], ONE, AUTO);
        check(&cpu, &[1e6], &[(&[0], 4)]);
        check(&cpu, &[1e5], &[(&[0], 1)]);
        check(&cpu, &[1e6; 2], &[(&[0], 1), (&[0], 1)]);
        let ranks = machine(&["cpu", "cpu"], AUTO, AUTO);
        check(&ranks, &[1e6], &[(&[0, 1], 2)]);
    }

    #[test]
    fn names_are_those_of_the_devices() {
        let pairs = machine(GPUS, Share::Fixed(2), ONE);
        let place = pairs.place(&candidate(1.0), &[], 0);
        assert_eq!(pairs.names(&place), ["cuda:0", "cuda:1"]);
    }
}
