//! `trainer`: who trains the trials.

use flops_fit_trial::{Law, Simulation};

use super::{
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

const EXPECTED: &str = "\"plugins\", \"simulated\", a table such as { kind = \"simulated\", law = \"chinchilla\", noise = 0.01, seed = 0 }, or { command = [\"python\", \"train.py\"] }";
const LAW: &str = "\"chinchilla\", \"epoch\", or { e = 1.69, a = 406.4, alpha = 0.34, b = 410.7, beta = 0.28 }: L = E + A/N^alpha + B/D^beta";
const COMMAND: &str = "a list of words such as [\"python\", \"train.py\"]";

impl Trainer {
    pub(super) fn read(field: &Field<'_>) -> Result<Self, Box<Mistake>> {
        let simulated = Simulation {
            law: Law::CHINCHILLA,
            noise: NOISE,
            seed: 0,
        };
        match &field.node.value {
            Value::Text(_) => Ok(field
                .word(&[("plugins", None), ("simulated", Some(simulated))])?
                .map_or(Self::Plugins, Self::Simulated)),
            Value::Table(_) => {
                let all = field.table(EXPECTED, &["kind", "law", "noise", "seed", "command"])?;
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

fn number(table: &Section<'_>, key: &str) -> Result<f64, Box<Mistake>> {
    table
        .required(key, LAW)?
        .number("a number above 0", |x| x > 0.0)
}
