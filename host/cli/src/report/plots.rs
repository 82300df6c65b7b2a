//! Figures fit for a paper, as SVG and as PNG.
//!
//! plotters draws each figure once, as SVG in points, with text measured in the
//! embedded font; the PNG is that same SVG rasterised with the same font. So both
//! look alike, on every machine, whatever fonts it has.

mod canvas;
mod cloud;
mod contours;
mod coordinates;
mod fits;
mod font;
mod holdout;
mod isoflop;
mod key;
mod laws;
mod look;
mod loss_curves;
mod palette;
mod panel;
mod raster;
mod ratio;
mod residuals;
mod scale;
mod scene;
mod text;
mod transfer;

use std::io;
use std::path::{Path, PathBuf};

use flops_fit_trial::{DocumentError, write_document};
pub use loss_curves::LossCurve;
use plotters::drawing::DrawingAreaErrorKind;
pub use raster::RasterError;
use scene::Scene;

use super::analysis::Analysis;
use crate::{output::make_folder, transfer::Transfer};

/// A drawn figure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figure {
    /// Name of its files, without extension.
    pub name: &'static str,
    /// What it shows, in a sentence.
    pub caption: String,
    /// The drawing.
    pub svg: String,
}

/// Why a figure could not be made.
#[derive(Debug, thiserror::Error)]
pub enum PlotError {
    /// plotters failed.
    #[error("drawing {figure}: {source}")]
    Draw {
        /// The figure's name.
        figure: &'static str,
        /// What it said.
        source: DrawingAreaErrorKind<io::Error>,
    },
    /// The SVG could not be rasterised.
    #[error("rasterising {figure}: {source}")]
    Raster {
        /// The figure's name.
        figure: &'static str,
        /// What was said.
        source: RasterError,
    },
    /// A file could not be written.
    #[error(transparent)]
    Document(#[from] DocumentError),
}

/// Draws a figure of laws, where there is something to show.
type OfLaws = fn(&Analysis, &Scene<'_>) -> Option<Result<Figure, PlotError>>;

/// Every figure that the analysis has something to show in. `curves` are the
/// trials' training losses; without any there is no figure of them.
///
/// # Errors
/// When plotters fails.
pub fn figures(analysis: &Analysis, curves: &[LossCurve]) -> Result<Vec<Figure>, PlotError> {
    let scene = Scene::of(analysis);
    let of_laws: [OfLaws; 7] = [
        laws::draw,
        ratio::draw,
        fits::draw,
        contours::draw,
        residuals::draw,
        holdout::draw,
        cloud::draw,
    ];
    let of_laws = scene.iter().flat_map(|scene| {
        let drawn = of_laws.into_iter();
        drawn.filter_map(|draw| draw(analysis, scene))
    });
    std::iter::once(isoflop::draw(analysis, scene.as_ref()))
        .chain(of_laws)
        .chain(loss_curves::draw(analysis, curves))
        .collect()
}

/// The figures of a study of learning rates.
///
/// # Errors
/// When plotters fails.
pub fn of_transfer(found: &Transfer) -> Result<Vec<Figure>, PlotError> {
    let moves = found.coordinates.iter();
    std::iter::once(transfer::draw(found))
        .chain(moves.map(|moves| coordinates::draw(found, moves)))
        .collect()
}

/// Marks of one kind in a figure: more would only cover one another.
const MARKS: usize = 2000;

/// Every how manieth of `count` runs is drawn, and what the caption says of that.
fn thinned(count: usize) -> (usize, String) {
    let every = count.div_ceil(MARKS).max(1);
    let said = match every {
        1 => String::new(),
        every => format!(" One run in {every} is shown."),
    };
    (every, said)
}

/// A drawing with its name and what it shows.
fn captioned(
    name: &'static str,
    caption: String,
    svg: Result<String, canvas::DrawError>,
) -> Result<Figure, PlotError> {
    let svg = svg.map_err(|source| PlotError::Draw {
        figure: name,
        source,
    })?;
    Ok(Figure { name, caption, svg })
}

/// A word at the beginning of a title.
fn capital(word: &str) -> String {
    let mut letters = word.chars();
    let first = letters.next().map(char::to_uppercase);
    first.into_iter().flatten().chain(letters).collect()
}

/// Writes the figures to `folder` as SVG and PNG; returns the files' paths. The folder
/// is made, but not the one that it is in.
///
/// # Errors
/// When a figure can't be rasterised or a file can't be written.
pub fn write(figures: &[Figure], folder: &Path) -> Result<Vec<PathBuf>, PlotError> {
    make_folder(folder)?;
    let rasteriser = raster::Rasteriser::new();
    let mut paths = Vec::new();
    for Figure { name, svg, .. } in figures {
        let png = rasteriser.png(svg).map_err(|source| PlotError::Raster {
            figure: name,
            source,
        })?;
        for (extension, bytes) in [("svg", svg.as_bytes()), ("png", &png)] {
            let path = folder.join(format!("{name}.{extension}"));
            write_document(&path, bytes)?;
            paths.push(path);
        }
    }
    Ok(paths)
}

#[cfg(test)]
mod tests;
