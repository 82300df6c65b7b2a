//! Trials that are interrupted and go on.

use flops_fit_trial::TrialDir;

use super::*;

/// Asks the trial to stop after some step.
struct Stopper {
    after: u64,
    stop: Arc<AtomicBool>,
    parameters: Option<Tensor>,
}

impl Observer for Stopper {
    fn progress(&mut self, _progress: &Progress) {}

    fn step(&mut self, step: u64) {
        if step == self.after {
            self.stop.store(true, Ordering::Relaxed);
        }
    }

    fn trained(&mut self, parameters: &FlatParameters) {
        self.parameters = Some(parameters.params.copy());
    }
}

/// Trains `spec` in three attempts, of which two end early: what was measured, and the
/// parameters.
fn in_three_attempts(spec: &TrialSpec, config: &Value) -> (Measured, Tensor) {
    let folder = tempfile::tempdir().expect("temporary folder");
    let dir = TrialDir::new(folder.path());
    let mut attempts = 0;
    let (measured, parameters) = loop {
        attempts += 1;
        let mut keeper = Keeper::open(&dir, spec).expect("opened");
        let mut stopper = Stopper {
            after: [17, 31].get(attempts - 1).copied().unwrap_or(u64::MAX),
            stop: keeper.stop(),
            parameters: None,
        };
        let dataset = linked::dataset::<Stories>(config).expect("a dataset");
        let blueprint = blueprint::<Gpt>(&dataset);
        let ended = train(spec, &blueprint, dataset, Some(&mut keeper), &mut stopper);
        match ended.expect("no failure") {
            Training::Interrupted { .. } => {}
            Training::Ended(Trained {
                outcome: Outcome::Completed { measured },
                ..
            }) => break (measured, stopper.parameters.expect("kept")),
            ended @ Training::Ended(_) => panic!("{ended:?}"),
        }
    };
    assert_eq!(attempts, 3);
    (measured, parameters)
}

#[test]
fn a_trial_goes_on_with_the_same_bits() {
    for (ranks, precision, grad_clip) in [
        (2, Precision::Bf16, None),
        (1, Precision::Fp32, Some(CLIP)),
        (2, Precision::Fp32, Some(CLIP)),
    ] {
        let (mut spec, config) = case_a_spec(ranks, precision);
        spec.recipe.train.grad_clip = grad_clip;
        let whole = completed(&spec);
        let (measured, parameters) = in_three_attempts(&spec, &config);
        let trial = format!("{ranks} ranks, {precision:?}, clipped at {grad_clip:?}");
        assert_eq!(measured, whole.0, "{trial}");
        assert!(parameters.equal(&whole.1), "{trial}");
    }
}
