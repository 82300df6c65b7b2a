//! `train.lr`: one rate, a law of it, or rates to be tuned.

use flops_fit_scaling::learning_rate::{RateLaw, STEEPEST, Transfer};

use super::{
    mistake::Mistake,
    section::{Field, Section},
    value::Value,
};

/// The peak learning rate of each trial.
#[derive(Debug, Clone, PartialEq)]
pub enum LearningRate {
    /// One for all.
    Fixed(f64),
    /// A law in N and D.
    Law(RateLaw),
    /// To be found.
    Tuned(Tune),
}

/// How the rate is to be found.
#[derive(Debug, Clone, PartialEq)]
pub struct Tune {
    /// Rates to try at each point, ascending; at least three.
    pub rates: Vec<f64>,
    /// What the best rates become; where absent, the model's configuration says it.
    pub transfer: Option<Transfer>,
    /// Largest share of the sweep's FLOPs that tuning may cost.
    pub share: f64,
}

const EXPECTED: &str = "a number above 0, rates to try such as { tune = [0.5, 1, 2] }, or a law such as { lr = 1, n = 1e6, d = 2e7, n_exponent = -0.3, d_exponent = 0 }";
const RATES: &str = "3 to 16 rates to try, such as [0.5, 1, 2]";

/// Share of the sweep that tuning may cost where the manifest doesn't say.
const SHARE: f64 = 0.1;

/// Words of `transfer`.
const TRANSFERS: [(&str, Transfer); 2] = [("one_rate", Transfer::OneRate), ("law", Transfer::Law)];

impl LearningRate {
    pub(super) fn read(field: &Field<'_>) -> Result<Self, Box<Mistake>> {
        match &field.node.value {
            Value::Integer(_) | Value::Float(_) => {
                Ok(Self::Fixed(field.number("a number above 0", |x| x > 0.0)?))
            }
            Value::Table(table) if table.entries.contains_key("tune") => {
                tune(&field.table(EXPECTED, &["tune", "transfer", "share"])?).map(Self::Tuned)
            }
            Value::Table(_) => {
                let keys = ["lr", "n", "d", "n_exponent", "d_exponent"];
                let table = field.table(EXPECTED, &keys)?;
                let above_0 = |key: &str| {
                    let number = table.required(key, EXPECTED)?;
                    number.number("a number above 0", |x| x > 0.0)
                };
                let exponent = |key: &str| self::exponent(&table.required(key, EXPECTED)?);
                Ok(Self::Law(RateLaw {
                    lr: above_0("lr")?,
                    n: above_0("n")?,
                    d: above_0("d")?,
                    n_exponent: exponent("n_exponent")?,
                    d_exponent: exponent("d_exponent")?,
                }))
            }
            _ => Err(field.unacceptable(EXPECTED)),
        }
    }

    /// The rate of a trial with `n` parameters that sees `d` units; as long as it is to be
    /// tuned, that of [`Self::typical`].
    pub fn at(&self, n: f64, d: f64) -> f64 {
        match self {
            Self::Law(law) => four_digits(law.at(n, d)),
            Self::Fixed(_) | Self::Tuned(_) => self.typical(),
        }
    }

    /// A rate in the midst of those that it stands for.
    pub fn typical(&self) -> f64 {
        match self {
            Self::Fixed(lr) => *lr,
            Self::Law(law) => law.lr,
            Self::Tuned(tune) => tune.rates[tune.rates.len() / 2],
        }
    }

    /// Whether it is another for a trial of the same size that sees more data.
    pub(super) fn varies_with_data(&self) -> bool {
        match self {
            Self::Fixed(_) => false,
            Self::Law(law) => law.d_exponent != 0.0,
            Self::Tuned(tune) => tune.transfer == Some(Transfer::Law),
        }
    }

    /// As the manifest has it.
    pub(super) fn resolved(&self) -> serde_json::Value {
        match self {
            Self::Fixed(lr) => (*lr).into(),
            Self::Law(law) => serde_json::to_value(law).expect("a law is plain data"),
            Self::Tuned(tune) => {
                let mut table = serde_json::json!({ "tune": tune.rates, "share": tune.share });
                let words = TRANSFERS.iter();
                let word = words.filter(|(_, transfer)| Some(*transfer) == tune.transfer);
                for (word, _) in word {
                    table["transfer"] = (*word).into();
                }
                table
            }
        }
    }
}

/// An exponent of a rate's law.
pub(super) fn exponent(field: &Field<'_>) -> Result<f64, Box<Mistake>> {
    let expected = format!("an exponent from -{STEEPEST} to {STEEPEST}");
    field.number(&expected, |x| x.abs() <= STEEPEST)
}

/// No rate is known better than that, and a short one is easier to read.
pub(crate) fn four_digits(lr: f64) -> f64 {
    format!("{lr:.3e}").parse().unwrap_or(lr)
}

fn tune(table: &Section<'_>) -> Result<Tune, Box<Mistake>> {
    let field = table.required("tune", RATES)?;
    let listed = field.list(RATES)?;
    if !(3..=16).contains(&listed.len()) {
        return Err(field.unacceptable(RATES));
    }
    let mut rates: Vec<f64> = Vec::new();
    for item in listed {
        let lr = item.number("a rate above 0 that is not listed before", |x| {
            x > 0.0 && !rates.contains(&x)
        })?;
        rates.push(lr);
    }
    rates.sort_by(f64::total_cmp);
    Ok(Tune {
        rates,
        transfer: table.maybe("transfer", |f| f.word(&TRANSFERS))?,
        share: table.or("share", SHARE, |f| {
            f.number("a share of the sweep's FLOPs above 0, at most 1", |x| {
                x > 0.0 && x <= 1.0
            })
        })?,
    })
}
