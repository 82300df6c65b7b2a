//! What stands beside the answer: the cost of other methods' sizes, what the answer
//! hangs on, and other conventions of counting.

use std::collections::BTreeMap;

use crate::analysis::{Options, Prediction};
use crate::conventions::{ConventionFit, conventions};
use crate::cost::{Detour, detours};
use crate::ensemble::Member;
use crate::fit::Fit;
use crate::frontier::{Frontier, Law, Optimum};
use crate::influence::{Answer, Followed, Influence, influences};
use crate::method::Method;
use crate::quality::Screened;
use crate::run::Run;

/// The method whose laws are compared where the one that is followed needs budgets of
/// one compute.
const ANY_COUNT: Method = Method::ParametricHuber;

/// What stands beside the answer at one compute.
#[derive(Default)]
pub(super) struct Around {
    pub(super) detours: Vec<Detour>,
    pub(super) influence: Vec<Influence>,
    pub(super) conventions: Vec<ConventionFit>,
}

impl Around {
    /// `at` is the recommendation, `method` the one with the largest of the `weights`.
    pub(super) fn of(
        at: &Prediction,
        members: &[Member<'_, '_>],
        (method, weights): (Method, &BTreeMap<Method, f64>),
        runs: &[Run],
        screened: &Screened<'_>,
        options: &Options,
    ) -> Self {
        let share = |fit: &Fit<'_>| weights.get(&fit.method()).copied().unwrap_or(0.0);
        let fits: Vec<(&Fit<'_>, f64)> = members
            .iter()
            .map(|member| (member.fit, share(member.fit)))
            .filter(|(_, share)| *share > 0.0)
            .collect();
        let answer = Answer {
            optimum: Optimum {
                c: at.c,
                n: at.n,
                d: at.d,
                loss: at.loss,
            },
            n: at.ci95.map(|bounds| bounds.n),
            loss: at.ci95.map(|bounds| bounds.loss),
        };
        let kept: Vec<&Run> = screened.kept.iter().map(|(_, run)| *run).collect();
        let mut compared = vec![method];
        if method != ANY_COUNT {
            compared.push(ANY_COUNT);
        }
        Self {
            detours: around(at, members, method, options),
            influence: influences(
                Followed { fits: &fits },
                &answer,
                runs,
                &screened.left_out,
                &screened.flags,
                options.bootstrap.threads,
            ),
            conventions: conventions(&kept, &compared, at.c),
        }
    }
}

/// The recommended size under every law, and every method's size under the law of the
/// method that counts most.
fn around(
    at: &Prediction,
    members: &[Member<'_, '_>],
    method: Method,
    options: &Options,
) -> Vec<Detour> {
    let laws: Vec<(Method, &Law)> = members
        .iter()
        .map(|member| (member.fit.method(), member.fit.law()))
        .collect();
    let most: Vec<(Method, &Law)> = laws.iter().copied().filter(|law| law.0 == method).collect();
    let sizes: Vec<(Option<Method>, f64)> = laws
        .iter()
        .map(|(method, law)| (Some(*method), law.optimum(at.c).n))
        .collect();
    let price = options.price.as_ref();
    let mut found = detours(&laws, &[(None, at.n)], at.c, price);
    found.extend(detours(&most, &sizes, at.c, price));
    found
}
