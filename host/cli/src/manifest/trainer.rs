//! `trainer`: who trains the trials.

use flops_fit_trial::{Law, RateEffect, Simulation};

use super::{
    learning_rate,
    mistake::Mistake,
    section::{Field, Section},
    value::Value,
};

/// Who trains the trials.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Trainer {
    /// `flops-fit-worker` with the plugins that the manifest names.
    #[default]
    Plugins,
    /// A program of the user's: the command, of at least one word.
    Program(Vec<String>),
    /// Nobody: losses are a law's, with noise.
    Simulated(Simulation),
}

/// Standard deviation of simulated losses where the manifest doesn't say: about that
/// of a language model's loss over seeds.
const NOISE: f64 = 0.01;

/// How much the loss rises at e times the best rate where the manifest doesn't say: about
/// what small u-μP language models show.
const CURVATURE: f64 = 0.1;

/// The multiple of the best rate that diverges where the manifest doesn't say.
const DIVERGES: f64 = 16.0;

const EXPECTED: &str = "\"plugins\", \"simulated\", a table such as { kind = \"simulated\", law = \"chinchilla\", noise = 0.01, seed = 0 }, or { command = [\"python\", \"train.py\"] }";
const LAW: &str = "\"chinchilla\", \"epoch\", or { e = 1.69, a = 406.4, alpha = 0.34, b = 410.7, beta = 0.28 }: L = E + A/N^alpha + B/D^beta";
const RATE: &str = "the best rate, and how it moves, such as { best = 1, n = 1e6, d = 2e7, n_exponent = -0.3, d_exponent = 0, curvature = 0.05, diverges = 8 }";
const COMMAND: &str = "a list of words such as [\"python\", \"train.py\"]";

impl Trainer {
    pub(super) fn read(field: &Field<'_>) -> Result<Self, Box<Mistake>> {
        let simulated = Simulation {
            law: Law::CHINCHILLA,
            noise: NOISE,
            seed: 0,
            lr: None,
        };
        match &field.node.value {
            Value::Text(_) => Ok(field
                .word(&[("plugins", None), ("simulated", Some(simulated))])?
                .map_or(Self::Plugins, Self::Simulated)),
            Value::Table(_) => {
                let all =
                    field.table(EXPECTED, &["kind", "law", "noise", "seed", "lr", "command"])?;
                if let Some(command) = all.get("command") {
                    field.table(EXPECTED, &["command"])?;
                    let words = command.list(COMMAND)?;
                    let words = words.iter().map(|word| word.text(COMMAND));
                    return words.collect::<Result<_, _>>().map(Self::Program);
                }
                all.maybe("kind", |kind| kind.word(&[("simulated", ())]))?;
                Ok(Self::Simulated(Simulation {
                    law: all.or("law", simulated.law, law)?,
                    noise: all.or("noise", simulated.noise, |noise| {
                        noise.number("a standard deviation of at least 0", |x| x >= 0.0)
                    })?,
                    seed: all.or("seed", simulated.seed, |seed| Ok(seed.whole(0)? as u64))?,
                    lr: all.maybe("lr", rate_effect)?,
                }))
            }
            _ => Err(field.unacceptable(EXPECTED)),
        }
    }

    /// What a section of the manifest has to say of a plugin.
    pub(super) fn naming(&self) -> Naming {
        match self {
            Self::Plugins => Naming::Required,
            Self::Program(_) => Naming::Excluded,
            Self::Simulated(_) => Naming::Optional,
        }
    }
}

/// Whether `plugin` stands in `[model]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Naming {
    Required,
    Optional,
    Excluded,
}

fn law(field: &Field<'_>) -> Result<Law, Box<Mistake>> {
    match &field.node.value {
        Value::Text(_) => field.word(&[("chinchilla", Law::CHINCHILLA), ("epoch", Law::EPOCH)]),
        Value::Table(_) => {
            let table = field.table(LAW, &["e", "a", "alpha", "b", "beta"])?;
            let number = |key| number(&table, key);
            Ok(Law {
                e: table
                    .required("e", LAW)?
                    .number("a number of at least 0", |x| x >= 0.0)?,
                a: number("a")?,
                alpha: number("alpha")?,
                b: number("b")?,
                beta: number("beta")?,
            })
        }
        _ => Err(field.unacceptable(LAW)),
    }
}

fn rate_effect(field: &Field<'_>) -> Result<RateEffect, Box<Mistake>> {
    let keys = [
        "best",
        "n",
        "d",
        "n_exponent",
        "d_exponent",
        "curvature",
        "diverges",
    ];
    let table = field.table(RATE, &keys)?;
    let exponent = |key| table.or(key, 0.0, learning_rate::exponent);
    let place = |key| table.or(key, 1.0, |f| f.number("a number above 0", |x| x > 0.0));
    Ok(RateEffect {
        best: table
            .required("best", RATE)?
            .number("a rate above 0", |x| x > 0.0)?,
        n: place("n")?,
        d: place("d")?,
        n_exponent: exponent("n_exponent")?,
        d_exponent: exponent("d_exponent")?,
        curvature: table.or("curvature", CURVATURE, |f| {
            f.number("a number of at least 0", |x| x >= 0.0)
        })?,
        diverges: table.or("diverges", DIVERGES, |f| {
            f.number("a multiple of the best rate above 1", |x| x > 1.0)
        })?,
    })
}

fn number(table: &Section<'_>, key: &str) -> Result<f64, Box<Mistake>> {
    table
        .required(key, LAW)?
        .number("a number above 0", |x| x > 0.0)
}
