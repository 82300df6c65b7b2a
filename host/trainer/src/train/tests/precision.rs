//! bf16 against fp32.

use flops_fit_trial::TrialDir;

use super::*;

/// In nats, after 50 steps of case a.
const TOLERANCE: f64 = 0.01;

fn is_bf16(tensor: &Tensor) -> bool {
    let there_and_back = tensor.to_kind(Kind::BFloat16).to_kind(tensor.kind());
    there_and_back.equal(tensor)
}

#[test]
fn bf16_comes_close_to_fp32_with_weights_that_stay_fp32() {
    let fp32 = case_a(1, Precision::Fp32, None);
    for ranks in [1, 2] {
        let bf16 = case_a(ranks, Precision::Bf16, None);
        let (loss, weights) = apart(&fp32, &bf16);
        let said = writeln!(
            std::io::stderr().lock(),
            "bf16 against fp32, {ranks} ranks: |Δloss| {loss:.1e}, ‖Δw‖/‖w‖ {weights:.1e}"
        );
        said.expect("standard error is there");
        assert!(loss < TOLERANCE, "|Δloss| = {loss}");
        // It is another computation, whose weights are more than bf16 can hold.
        assert!(loss > 0.0);
        assert_eq!(bf16.1.kind(), Kind::Float);
        assert!(!is_bf16(&bf16.1));
    }
}

#[test]
fn bf16_with_micro_batches_and_several_ranks_repeats_its_bits() {
    let one = case_a(2, Precision::Bf16, Some(2));
    let again = case_a(2, Precision::Bf16, Some(2));
    assert_eq!(one.0, again.0);
    assert!(one.1.equal(&again.1));
}

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

#[test]
fn a_trial_in_bf16_goes_on_with_the_same_bits() {
    let whole = case_a(2, Precision::Bf16, None);
    let folder = tempfile::tempdir().expect("temporary folder");
    let dir = TrialDir::new(folder.path());
    let (spec, config) = case_a_spec(2, Precision::Bf16);
    let mut attempts = 0;
    let (measured, parameters) = loop {
        attempts += 1;
        let mut keeper = Keeper::open(&dir, &spec).expect("opened");
        let mut stopper = Stopper {
            // The first two attempts end early.
            after: [17, 31].get(attempts - 1).copied().unwrap_or(u64::MAX),
            stop: keeper.stop(),
            parameters: None,
        };
        let dataset = linked::dataset::<Stories>(&config);
        let blueprint = blueprint::<Gpt>(&dataset);
        let ended = train(&spec, &blueprint, dataset, Some(&mut keeper), &mut stopper);
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
    assert_eq!(measured, whole.0);
    assert!(parameters.equal(&whole.1));
}
