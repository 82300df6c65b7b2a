//! Which devices and how many threads a trial gets: decided from what runs and what
//! waits, and from nothing else.
//!
//! Many trials on one device and one thread each are faster than one trial on many: so
//! a trial gets more, where the manifest leaves it open, only once there are too few
//! trials left to keep the machine busy, and only if its model is wide enough for the
//! work to outweigh what ranks and threads say to each other. Threads moreover only where
//! nothing else runs: the threads of one product wait for each other, and a core that
//! is busy elsewhere then holds up all of them.

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
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate {
    /// Parameters N.
    pub n: f64,
    /// Examples in an optimizer step, which ranks share.
    pub examples: u64,
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
    pub fn place(&self, trial: Candidate, running: &[&Assignment], waiting: usize) -> Assignment {
        let load = |device: usize| {
            running
                .iter()
                .filter(|p| p.devices.contains(&device))
                .count()
        };
        let mut by_load: Vec<usize> = (0..self.devices.len()).collect();
        by_load.sort_by_key(|&device| (load(device), device));
        let free = by_load.iter().filter(|&&device| load(device) == 0).count();
        let wide = trial.n >= self.least_width();
        let ranks = match self.devices_per_trial {
            Share::Fixed(ranks) => ranks,
            Share::Automatic if wide => {
                let most = usize::try_from(trial.examples).unwrap_or(usize::MAX);
                (free / (waiting + 1)).clamp(1, most.max(1))
            }
            Share::Automatic => 1,
        };
        let alone = running.is_empty() && waiting == 0;
        let threads = match self.threads {
            Share::Fixed(threads) => threads,
            Share::Automatic if alone && trial.n >= WIDE && !self.has_gpus() => self.cores / ranks,
            Share::Automatic => 1,
        };
        by_load.truncate(ranks);
        by_load.sort_unstable();
        Assignment {
            devices: by_load,
            threads: threads.max(1) as u32,
        }
    }

    /// The names of a place's devices.
    pub fn names(&self, place: &Assignment) -> Vec<String> {
        let name = |&device: &usize| self.devices[device].clone();
        place.devices.iter().map(name).collect()
    }

    fn has_gpus(&self) -> bool {
        self.devices.iter().any(|device| device != "cpu")
    }

    fn least_width(&self) -> f64 {
        if self.has_gpus() { WIDE_ON_GPU } else { WIDE }
    }
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

    /// Starts trials one after the other, and says where each goes.
    #[track_caller]
    fn check(machine: &Machine, trials: &[f64], expected: &[(&[usize], u32)]) {
        let mut running: Vec<Assignment> = Vec::new();
        for (i, &n) in trials.iter().enumerate() {
            let trial = Candidate { n, examples: 8 };
            let beside: Vec<_> = running.iter().collect();
            let place = machine.place(trial, &beside, trials.len() - 1 - i);
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
        let place = |devices: &[usize]| Assignment {
            devices: devices.to_vec(),
            threads: 1,
        };
        let trial = Candidate {
            n: 1e9,
            examples: 8,
        };
        let free_again = gpus.place(trial, &[&place(&[0]), &place(&[2]), &place(&[3])], 5);
        assert_eq!(free_again.devices, [1]);
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
            n: 1e9,
            examples: 3,
        };
        assert_eq!(gpus.place(trial, &[], 0).devices, [0, 1, 2]);
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
        let trial = Candidate {
            n: 1.0,
            examples: 8,
        };
        assert_eq!(
            pairs.names(&pairs.place(trial, &[], 0)),
            ["cuda:0", "cuda:1"]
        );
    }
}
