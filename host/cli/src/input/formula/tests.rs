use super::*;

fn value(name: &str) -> Option<f64> {
    match name {
        "n" => Some(2e9),
        "c" => Some(1.2e21),
        "two" => Some(2.0),
        _ => None,
    }
}

fn check(text: &str, expected: f64) {
    let formula: Formula = format!("x = {text}").parse().expect(text);
    let found = formula.evaluate(value).expect(text);
    assert!(
        (found / expected - 1.0).abs() < 1e-14,
        "{text}: {found}, not {expected}"
    );
}

#[test]
fn values() {
    check("c / (6 * n)", 1e11);
    check("6e3", 6000.0);
    check("1.5E-3 + .5", 0.5015);
    check("2 + 3 * 4 - 10 / 5", 12.0);
    check("8 / 2 / 2", 2.0);
    check("8 - 2 - 2", 4.0);
    check("-two ^ 2", -4.0);
    check("2 ^ 3 ^ 2", 512.0);
    check("2 ^ -two", 0.25);
    check("ln(exp(3)) * sqrt(16)", 12.0);
    check("--3", 3.0);
}

#[test]
fn a_missing_value_gives_none() {
    let formula: Formula = "d = c / q".parse().expect("a formula");
    assert_eq!(formula.evaluate(value), None);
    assert_eq!(formula.names(), [("c", 5), ("q", 9)]);
}

#[test]
fn mistakes_are_placed() {
    let check = |text: &str, expected: &str| {
        let error = text.parse::<Formula>().expect_err(text).to_string();
        assert_eq!(error, expected);
    };
    check(
        "d = c / (6 * n",
        "`d = c / (6 * n`, character 15: found the end, expected an operator or `)`",
    );
    check(
        "d = c / * n",
        "`d = c / * n`, character 9: found `*`, expected a number, a name, or `(`",
    );
    check(
        "c / (6 * n)",
        "`c / (6 * n)`, character 3: found `/`, expected `=`",
    );
    check(
        "d = Model Size",
        "`d = Model Size`, character 11: found `Size`, expected an operator (+ - * / ^) or the end",
    );
    check(
        "d = log(c)",
        "`d = log(c)`, character 5: found `log`, expected ln, exp or sqrt before `(`",
    );
    check(
        "d = 1.2.3",
        "`d = 1.2.3`, character 5: found `1.2.3`, expected a number, a name, or `(`",
    );
    check(
        "",
        "``, character 1: found the end, expected a name, as in `d = c / (6 * n)`",
    );
    check(
        "d = 6 × n",
        "`d = 6 × n`, character 7: found `×`, expected an operator (+ - * / ^) or the end",
    );
}

#[test]
fn deep_nesting_is_refused() {
    for text in ["(", "-", "2^", "ln("] {
        let text = format!("d = {}", text.repeat(100_000));
        assert!(text.parse::<Formula>().is_err());
    }
    let long = format!("d = n{}", " + n".repeat(100_000));
    assert!(long.parse::<Formula>().is_err());
}
