#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| flops_fit_fuzz_targets::run("analysis", bytes));
