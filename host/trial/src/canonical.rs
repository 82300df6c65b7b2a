//! JSON with one spelling: the input of every hash.

use serde_json::Value;
use sha2::{Digest, Sha256};

/// The first 64 bits of the SHA-256 of [`canonical_json`], as sixteen
/// hexadecimal digits.
pub fn canonical_hash(value: &Value) -> String {
    let digest = Sha256::digest(canonical_json(value));
    let bits = digest[..8]
        .iter()
        .fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
    format!("{bits:016x}")
}

/// Renders `value` with object keys in byte order, no white space, and numbers
/// in their shortest exact form; whole floats lose their `.0`, so that a
/// manifest's `1` and `1.0` are the same setting.
pub fn canonical_json(value: &Value) -> String {
    let mut text = String::new();
    render(value, &mut text);
    text
}

fn render(value: &Value, out: &mut String) {
    match value {
        Value::Object(map) => {
            let mut keys: Vec<_> = map.keys().collect();
            keys.sort();
            out.push('{');
            for (i, key) in keys.into_iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                out.push_str(&Value::from(key.as_str()).to_string());
                out.push(':');
                render(&map[key], out);
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                render(item, out);
            }
            out.push(']');
        }
        Value::Number(number) => match number.as_f64() {
            Some(x) if number.is_f64() && x.fract() == 0.0 && x.abs() < 9e15 => {
                out.push_str(&(x as i64).to_string());
            }
            _ => out.push_str(&number.to_string()),
        },
        other => out.push_str(&other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_spelling() {
        let check = |text: &str, want: &str| {
            let value: Value = serde_json::from_str(text).expect("test input is JSON");
            assert_eq!(canonical_json(&value), want);
        };
        check(
            r#"{"b": 1, "a": {"d": [1.0, 2.5], "c": null}}"#,
            r#"{"a":{"c":null,"d":[1,2.5]},"b":1}"#,
        );
        check("1e11", "100000000000");
        check("1.0", "1");
        check("-0.1", "-0.1");
        check(r#""a\"b""#, r#""a\"b""#);
        check("18446744073709551615", "18446744073709551615");
    }
}
