//! How fast one thread writes the invented language, in MB/s, and how long its
//! tables take to build:
//!
//! ```text
//! cargo run --release -p flops-fit-gpt --example stories_speed
//! ```

#![expect(
    clippy::print_stdout,
    reason = "the figures are what this program is for"
)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use flops_fit_gpt::data::stories;

/// Long enough that the clock's resolution and a cold cache do not matter.
const MEASURED: Duration = Duration::from_secs(1);

fn main() {
    let start = Instant::now();
    let mut text = Vec::new();
    stories::story(0, 0, &mut text);
    println!(
        "tables and first story: {:.1} ms",
        start.elapsed().as_secs_f64() * 1e3
    );

    let stories = megabytes_per_second(|index| {
        text.clear();
        stories::story(0, index, &mut text);
        black_box(&text).len()
    });
    println!("stories: {stories:.1} MB/s");

    let mut page = [0; 65];
    let examples = megabytes_per_second(|index| {
        stories::example(stories::TRAINING_SEED, index, &mut page);
        black_box(&page).len()
    });
    println!("65-byte examples: {examples:.1} MB/s");

    let mut ids = [0; 65];
    let windows = megabytes_per_second(|index| {
        stories::example_ids(stories::TRAINING_SEED, index, &mut ids);
        black_box(&ids).len()
    });
    println!("65-token windows as ids: {windows:.1} million tokens/s");
}

/// Calls `write` with 0, 1, 2, … for [`MEASURED`]; it returns the bytes it made.
fn megabytes_per_second(mut write: impl FnMut(u64) -> usize) -> f64 {
    let (mut bytes, mut index) = (0, 0);
    let start = Instant::now();
    while start.elapsed() < MEASURED {
        for _ in 0..1000 {
            bytes += write(index);
            index += 1;
        }
    }
    bytes as f64 / 1e6 / start.elapsed().as_secs_f64()
}
