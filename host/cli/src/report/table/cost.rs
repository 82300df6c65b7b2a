//! What it costs to follow another method, and what if it is right.

use flops_fit_scaling::quantity::{count, flops};
use flops_fit_scaling::{Detour, Method, Price};

use super::numbers::{NOTHING, coefficient, plain};
use super::sheets::by_weight;
use crate::report::analysis::Analysis;
use crate::report::sheet::{Cell, Lean, Sheet};

/// Stands where no compute is enough.
const ENDLESS: &str = "∞";
/// Share of extra compute up to which it is but rounding.
const ROUNDING: f64 = 1e-9;

/// A row a method; `None` where there is but one, or nothing is known.
pub(super) fn costs(analysis: &Analysis) -> Option<Sheet> {
    let fits = &analysis.fits;
    let detours = &fits.detours;
    let (c, followed) = (detours.first()?.c, fits.recommended.as_ref()?.method);
    let laws = by_weight(fits);
    if laws.len() < 2 {
        return None;
    }
    let size = |method: Method| {
        let own = detours.iter().find_map(|detour| match detour {
            Detour { truth, best, .. } if *truth == method => Some(*best),
            Detour { followed, n, .. } if *followed == Some(method) => Some(*n),
            _ => None,
        });
        own.map_or_else(|| NOTHING.into(), |n| plain(n, count))
    };
    let cost = |truth: Method, size: Option<Method>| {
        let is_it = |detour: &&Detour| (detour.truth, detour.followed) == (truth, size);
        let found = detours.iter().find(is_it);
        found.map_or_else(
            || NOTHING.into(),
            |detour| cell(detour, fits.options.price.as_ref()),
        )
    };
    let mut sheet = Sheet::new(
        format!("Cost of another size at {} FLOPs", flops(c)),
        &[
            ("method", Lean::Left),
            ("N*", Lean::Right),
            ("cost of its N*", Lean::Right),
            ("cost if it is right", Lean::Right),
        ],
    );
    sheet.rows = laws
        .iter()
        .map(|&(method, ..)| {
            vec![
                method.name().into(),
                size(method),
                cost(followed, Some(method)),
                cost(method, None),
            ]
        })
        .collect();
    sheet.remarks.push(format!(
        "FLOPs beyond {} for the loss that the best size would have: of the method's N* where the law of {followed} \
         holds; of the recommended N* where the method's own law holds",
        flops(c)
    ));
    Some(sheet)
}

fn cell(detour: &Detour, price: Option<&Price>) -> Cell {
    let (Some(extra), Some(share)) = (detour.extra, detour.share) else {
        return ENDLESS.into();
    };
    let known = |value: f64| if share > ROUNDING { value } else { 0.0 };
    let extra = known(extra);
    let money = detour.money.zip(price);
    let money = money.map_or_else(String::new, |(money, price)| {
        format!(", {} {}", amount(known(money)), price.currency)
    });
    let text = format!("{} ({:.1} %{money})", amount(extra), 100.0 * share);
    Cell::number(extra, text)
}

fn amount(value: f64) -> String {
    if value > 0.0 {
        coefficient(value)
    } else {
        "0".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use flops_fit_scaling::Options;

    use super::*;
    use crate::report::Analysis;
    use crate::report::sample;

    #[test]
    fn money_is_told_where_a_price_is_known() {
        let of = |price: Option<Price>| {
            let options = Options {
                price,
                ..Options::default()
            };
            let analysis = Analysis::of(&sample::rows(2), sample::subject(), &options);
            costs(&analysis.expect("fitted")).expect("several methods")
        };
        let price = "2.5 EUR per 1e12".parse().expect("a price");
        let (plain, priced) = (of(None), of(Some(price)));
        let mut told = 0;
        for (plain, priced) in plain.rows.iter().zip(&priced.rows) {
            for (plain, priced) in plain.iter().zip(priced) {
                assert_eq!(plain.value, priced.value);
                if plain.text.ends_with(" %)") {
                    let start = plain.text.trim_end_matches(')');
                    assert!(priced.text.starts_with(start), "{}", priced.text);
                    assert!(priced.text.ends_with(" EUR)"), "{}", priced.text);
                    told += 1;
                }
            }
        }
        assert!(told > plain.rows.len(), "{told}");
    }

    #[test]
    fn no_compute_and_none_that_is_known() {
        let detour = |extra| Detour {
            truth: Method::ParametricMse,
            followed: None,
            c: 1e12,
            n: 2.0,
            best: 1.0,
            extra,
            share: extra.map(|extra| extra / 1e12),
            money: None,
        };
        let text = |extra| cell(&detour(extra), None).text;
        assert_eq!(text(None), "∞");
        assert_eq!(text(Some(0.0)), "0 (0.0 %)");
        assert_eq!(text(Some(0.0391)), "0 (0.0 %)");
        assert_eq!(text(Some(1.25e10)), "1.25e10 (1.2 %)");
    }
}
