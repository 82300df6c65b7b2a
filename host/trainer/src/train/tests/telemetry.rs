//! What progress lines say of the speed.

use std::time::{Duration, Instant};

use flops_fit_trial::{Position, Progress, Stage};

use super::{
    super::leader::{Leader, Mark},
    *,
};

struct Lines(Vec<Progress>);

impl Observer for Lines {
    fn progress(&mut self, progress: &Progress) {
        self.0.push(progress.clone());
    }
}

/// A line within a step is a sign of life and says nothing of the speed; the line after it
/// counts the whole step's time.
#[test]
fn a_line_within_a_step_does_not_make_the_step_look_fast() {
    let mut lines = Lines(Vec::new());
    let mut spec = spec(&json!({}), 2, Precision::Fp32, 10, 1);
    spec.run.gemm = Some(1e9);
    spec.run.threads = 3;
    let begun = Instant::now();
    let mut leader = Leader::new(&mut lines, None, &spec, 10, &Position::default());
    let mark = |units, within_step| Mark {
        stage: Stage::Train,
        step: 1,
        units,
        lr: 1.0,
        grad_norm: None,
        within_step,
    };
    thread::sleep(Duration::from_millis(60));
    leader.report(&mark(0, true));
    leader.see(2.5);
    leader.report(&mark(512, false));
    let elapsed = begun.elapsed().as_secs_f64();
    let [within, after] = &lines.0[..] else {
        panic!("two lines");
    };
    assert_eq!((within.units_per_second, within.loss), (None, None));
    assert_eq!(after.loss, Some(2.5));
    let rate = after.units_per_second.expect("a rate");
    assert!(rate <= 512.0 / 0.06 && rate >= 512.0 / elapsed, "{rate}");
    let flops = rate * spec.run.flops_per_unit;
    assert_eq!(after.flops_per_second, Some(flops));
    // Two CPU ranks of three threads.
    assert_eq!(after.gemm_share, Some(flops / 6e9));
}
