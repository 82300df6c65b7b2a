//! One mistake, one sentence with its place.

use super::check;

#[test]
fn unknown_keys() {
    check(
        "lr = 1.0",
        "lrr = 1.0",
        "m.toml:16:1: train.lrr: unknown key; did you mean `lr`? accepted here: lr, schedule, warmup, batch_tokens, weight_decay, betas, eps, grad_clip, precision, eval_tokens",
    );
    check(
        "[train]",
        "[training]",
        "m.toml:15:2: training: unknown key; did you mean `train`? accepted here: name, extends, base_dir, plugin_path, trainer, model, dataset, loss, sweep, train, run, analysis, output",
    );
    check(
        "multiple_of = 16",
        "step = 16",
        "m.toml:6:31: model.sizes.step: unknown key; accepted here: min, max, multiple_of",
    );
    check(
        "kind = \"stories\"",
        "type = \"stories\"",
        "m.toml:10:1: dataset.type: unknown key; accepted here: plugin, kind, config",
    );
    check(
        "lr = 1.0",
        "schedule = { kind = \"cosine\", decay = 0.1 }",
        "m.toml:16:31: train.schedule.decay: unknown key; accepted here: kind, floor",
    );
}

#[test]
fn trunks_that_cannot_be_shared() {
    check(
        "lr = 1.0",
        "schedule = { kind = \"wsd\", decay = 1, reuse_trunk = true }",
        "m.toml:16:36: train.schedule.decay: found 1, expected a share of the steps above 0 and below 1: what comes before it is the trunk",
    );
    check(
        "lr = 1.0",
        "schedule = { kind = \"cosine\", reuse_trunk = true }",
        "m.toml:16:31: train.schedule.reuse_trunk: unknown key; accepted here: kind, floor",
    );
}

#[test]
fn wrong_types() {
    check(
        "lr = 1.0",
        "lr = \"fast\"",
        "m.toml:16:6: train.lr: found the string \"fast\", expected a number above 0, rates to try such as { tune = [0.5, 1, 2] }, or a law such as { lr = 1, n = 1e6, d = 2e7, n_exponent = -0.3, d_exponent = 0 }",
    );
    check(
        "name = \"demo\"",
        "name = 3",
        "m.toml:1:8: name: found 3, expected a name for the sweep and its output folder, such as \"gpt-stories\"",
    );
    check(
        "budgets = [1e10, 3e10]",
        "budgets = 1e10",
        "m.toml:14:11: sweep.budgets: found 1e10, expected FLOPs as a list such as [1e10, 3e10, 1e11], or { min = 1e10, max = 1e12, count = 5 }",
    );
    check(
        "budgets = [1e10, 3e10]",
        "budgets = [1e10, \"3e10 flop\"]",
        "m.toml:14:18: sweep.budgets[1]: found the string \"3e10 flop\", expected a number of FLOPs above 0, such as 1e11 or \"10 PFLOP-days\"",
    );
    check(
        "[model.config]\nn_layer = 2",
        "config = 3",
        "m.toml:7:10: model.config: found 3, expected a table of the plugin's own settings",
    );
    check(
        "[train]\nlr = 1.0",
        "[[train]]\nlr = 1.0",
        "m.toml:15:1: train: found a list of 1, expected a table [train]",
    );
}

#[test]
fn impossible_values() {
    check(
        "lr = 1.0",
        "lr = -1",
        "m.toml:16:6: train.lr: found -1, expected a number above 0",
    );
    check(
        "lr = 1.0",
        "lr = nan",
        "m.toml:16:6: train.lr: found NaN, expected a number above 0",
    );
    check(
        "lr = 1.0",
        "betas = [0.9, 1.0]",
        "m.toml:16:15: train.betas[1]: found 1.0, expected a number from 0 to below 1",
    );
    check(
        "lr = 1.0",
        "schedule = \"wds\"",
        "m.toml:16:12: train.schedule: found \"wds\"; did you mean `wsd`? expected one of \"wsd\", \"cosine\", \"constant\"",
    );
    check(
        "lr = 1.0",
        "warmup = 1.5",
        "m.toml:16:10: train.warmup: found 1.5, expected a share of the steps from 0 to below 1, or { tokens = 10000 }, or { steps = 20 }",
    );
    check(
        "lr = 1.0",
        "batch_tokens = 512.5",
        "m.toml:16:16: train.batch_tokens: found 512.5, expected a whole number of at least 1",
    );
    check(
        "max = 64",
        "max = 8",
        "m.toml:6:27: model.sizes.max: found 8, expected at least min = 16",
    );
    check(
        "min = 16, max = 64",
        "min = 17, max = 20",
        "m.toml:6:9: model.sizes: found a table, expected a range that holds a multiple of 16; 17 to 20 holds none",
    );
    check(
        "budgets = [1e10, 3e10]",
        "budgets = [1e10, 1e10]",
        "m.toml:14:18: sweep.budgets[1]: found 1e10, expected each budget once; this one is listed already",
    );
    check(
        "budgets = [1e10, 3e10]",
        "budgets = { min = 1e11, max = 1e10, count = 3 }",
        "m.toml:14:31: sweep.budgets.max: found 1e10, expected a number of FLOPs above min = 1e11",
    );
    check(
        "name = \"demo\"",
        "name = \"../up\"",
        "m.toml:1:8: name: found the string \"../up\", expected letters, digits, '-', '_', '.', '+' and inner spaces, not starting with '.': it names a folder",
    );
    check(
        "lr = 1.0",
        "[run]\ndevices = [\"cuda:01\"]",
        "m.toml:17:12: run.devices[0]: found the string \"cuda:01\", expected \"cpu\" or a device such as \"cuda:0\"",
    );
    check(
        "lr = 1.0",
        "[run]\ndevices = [\"cuda:0\", \"cpu\"]",
        "m.toml:17:22: run.devices[1]: found the string \"cpu\", expected devices of one kind: all cpu, or all cuda",
    );
    check(
        "n_layer = 2",
        "n_layer = inf",
        "m.toml:8:11: model.config: found inf, expected a finite number",
    );
    check(
        "n_layer = 2",
        "n_layer = 99999999999999999999",
        "m.toml:8:11: number: found 99999999999999999999, expected a number that fits in 64 bits",
    );
}

#[test]
fn missing_and_excluded_keys() {
    check(
        "kind = \"gpt\"\n",
        "",
        "m.toml:2:1: model.kind: missing; expected the name of one of the plugin's exports, such as \"gpt\"",
    );
    check(
        "[loss]\nkind = \"cross_entropy\"\n",
        "",
        "m.toml:1:1: loss.kind: missing; expected the name of one of the plugin's exports, such as \"cross_entropy\"",
    );
    check(
        "sizes = { min = 16, max = 64, multiple_of = 16 }\n",
        "",
        "m.toml:2:1: model.sizes: missing; expected candidate sizes such as { min = 16, max = 1024, multiple_of = 16 }, or sizes for each budget in sweep.grid",
    );
    check(
        "n_layer = 2",
        "d_model = 64",
        "m.toml:8:11: model.config.d_model: excludes `model.size_param` at m.toml:5:14; remove one of the two",
    );
    check(
        "budgets = [1e10, 3e10]",
        "budgets = [1e10]\ngrid = [{ budget = 1e10, sizes = [8] }]",
        "m.toml:15:8: sweep.grid: excludes `sweep.budgets` at m.toml:14:11; remove one of the two",
    );
}

#[test]
fn what_is_no_toml() {
    check(
        "lr = 1.0",
        "lr = ",
        "m.toml:16:6: not valid TOML: string values must be quoted, expected literal string",
    );
    check(
        "lr = 1.0",
        "lr = 1.0\nlr = 2.0",
        "m.toml:17:1: not valid TOML: duplicate key",
    );
}

#[test]
fn draws_prices_wishes_and_priors() {
    let check = |line: &str, message: &str| {
        check("lr = 1.0", &format!("[analysis]\n{line}"), message);
    };
    check(
        "price = \"2 USD\"",
        "m.toml:17:9: analysis.price: found the string \"2 USD\", expected an amount and a currency for FLOPs, `2.5 USD per 1e18`, or for hours at a rate in FLOP/s that training really reaches, `2 USD per hour at 4e14`",
    );
    check(
        "draws = 19",
        "m.toml:17:9: analysis.draws: found 19, expected 0 for no intervals, or a whole number from 20, the fewest that give any, to 1000000",
    );
    check(
        "wish = 1.2",
        "m.toml:17:8: analysis.wish: found 1.2, expected a table such as { n = 1.2, loss = 0.01 }",
    );
    check(
        "wish = { n = 0.9 }",
        "m.toml:17:14: analysis.wish.n: found 0.9, expected the factor within which N* is to be known, above 1, such as 1.2",
    );
    check(
        "wish = { d = 2 }",
        "m.toml:17:10: analysis.wish.d: unknown key; accepted here: n, loss",
    );
    check(
        "prior = { noise = 0 }",
        "m.toml:17:19: analysis.prior.noise: found 0, expected a number above 0",
    );
    check(
        "prior = 0.01",
        "m.toml:17:9: analysis.prior: found 0.01, expected a table such as { noise = 0.01, reducible = 1.0 }, in units of the loss",
    );
}
