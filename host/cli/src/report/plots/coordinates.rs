//! How far outputs move in the first steps, against the size.

use super::canvas::{self, Place, Stroke};
use super::key::{self, Entry, Mark};
use super::palette;
use super::panel::{Axis, Panel};
use super::scale::{Numbers, Scale};
use super::{Figure, PlotError, captioned};
use crate::transfer::{Coordinates, Transfer};

const NAME: &str = "coordinate_check";
const PAGE: Place = (430.0, 285.0);
const KEY_WIDTH: f64 = 112.0;

pub(super) fn draw(transfer: &Transfer, found: &Coordinates) -> Result<Figure, PlotError> {
    let steps = found.steps as usize;
    let panel = panel(transfer, found);
    let title = format!("{}: change of the outputs against size", transfer.subject);
    let svg = canvas::page(PAGE, &title, |canvas| {
        panel.draw(canvas)?;
        let initial = found
            .sizes
            .iter()
            .map(|moves| (moves.size as f64, moves.initial));
        let initial: Vec<Place> = initial.collect();
        panel.curve(canvas, &initial, key::quiet_line())?;
        for step in 0..steps {
            let color = palette::ordered(step, steps);
            let points: Vec<Place> = after(found, step).collect();
            panel.curve(canvas, &points, Stroke::solid(color, key::CURVE))?;
            for (size, change) in points {
                key::point(canvas, panel.at(size, change), color)?;
            }
        }
        let at = (panel.right + 12.0, panel.top);
        key::column(canvas, at, &entries(steps))
    });
    let caption = format!(
        "RMS of the change of the outputs on held-out examples in the first {steps} steps, against \
         size: level lines are what lets one learning rate serve all sizes."
    );
    captioned(NAME, caption, svg)
}

/// Size and change after step `step`, from 0.
fn after(found: &Coordinates, step: usize) -> impl Iterator<Item = Place> {
    let sizes = found.sizes.iter();
    sizes.filter_map(move |moves| {
        let change = *moves.changes.get(step)?;
        (change > 0.0).then_some((moves.size as f64, change))
    })
}

fn panel(transfer: &Transfer, found: &Coordinates) -> Panel {
    let initial = found.sizes.iter().map(|moves| moves.initial);
    let changes = found
        .sizes
        .iter()
        .flat_map(|moves| moves.changes.iter().copied());
    Panel {
        left: 52.0,
        right: PAGE.0 - KEY_WIDTH,
        top: 10.0,
        bottom: PAGE.1 - 36.0,
        x: Axis {
            title: transfer.size_param.clone(),
            scale: Scale::log_around(found.sizes.iter().map(|moves| moves.size as f64), 0.05),
            numbers: Numbers::Counts,
            most: 7,
        },
        y: Axis {
            title: "RMS of the outputs' change".to_owned(),
            scale: Scale::log_around(changes.chain(initial), 0.06),
            numbers: Numbers::Decimals,
            most: 7,
        },
    }
}

fn entries(steps: usize) -> Vec<Entry> {
    let mut entries = vec![Entry::new(Mark::Title, "After step")];
    entries.extend((0..steps).map(|step| {
        let mark = Mark::Series(palette::ordered(step, steps));
        Entry::new(mark, (step + 1).to_string())
    }));
    entries.push(Entry::space());
    entries.push(Entry::new(
        Mark::Line(key::quiet_line()),
        "outputs at first",
    ));
    entries
}
