//! What flops-fit and a program of the user's say to each other.

use flops_fit_trial::ProgramQuestion;
use serde_json::{Value, json};

use super::{document, trial};

/// Examples of what a program of the user's reads and writes.
fn program(definition: &str) -> Vec<Value> {
    let schema = include_str!("../../../../docs/trainer.schema.json");
    let schema: Value = serde_json::from_str(schema).expect("the schema is JSON");
    let examples = schema["$defs"][definition]["examples"].as_array();
    examples.expect("examples").clone()
}

/// The question that the example of an answer answers.
pub(crate) fn question() -> ProgramQuestion {
    serde_json::from_value(program("question").remove(0)).expect("a question")
}

pub(crate) fn program_answers() -> Vec<Vec<u8>> {
    program("answer").iter().map(document).collect()
}

pub(crate) fn program_results() -> Vec<Vec<u8>> {
    let trial = trial();
    let ends = ["completed", "diverged", "failed"].map(program).concat();
    let own = |mut end: Value| {
        end["id"] = json!(trial.id);
        if end.get("n").is_some() {
            end["n"] = json!(trial.run.declared_n);
        }
        document(&end)
    };
    ends.into_iter().map(own).collect()
}
