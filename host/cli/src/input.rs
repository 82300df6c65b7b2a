//! Finished runs from anywhere: a table in CSV, JSON or JSON lines, its columns
//! mapped to the quantities of a run.
//!
//! ```text
//! bytes ─ records ─▶ columns and cells ─ mapping ─▶ N, D, C, loss of each run
//!                                        formula
//! ```
//!
//! What it keeps true: a number that is used stands in the file, in a column that
//! is called like the quantity or was named for it, or comes out of a formula
//! that somebody wrote; and a table that can't be read so is refused with file,
//! line and column.

mod curve;
mod error;
mod formula;
mod mapping;
mod records;
mod rows;

pub use error::{Culprit, InputError};
pub use formula::{Formula, FormulaError};
pub use mapping::{ColumnFlag, FIELDS, Mapping};
pub use records::{Form, LARGEST, MOST_COLUMNS, MOST_RECORDS};
pub use rows::{Checks, parse, read};

#[cfg(test)]
mod tests;
