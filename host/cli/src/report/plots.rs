//! Figures fit for a paper, as SVG and as PNG.
//!
//! plotters draws each figure once, as SVG in points, with text measured in the
//! embedded font; the PNG is that same SVG rasterised with the same font. So both
//! look alike, on every machine, whatever fonts it has.

mod canvas;
mod font;
mod isoflop;
mod key;
mod laws;
mod loss_curves;
mod palette;
mod panel;
mod raster;
mod ratio;
mod scale;
mod text;

use std::io;
use std::path::{Path, PathBuf};

pub use loss_curves::LossCurve;
use plotters::drawing::DrawingAreaErrorKind;
pub use raster::RasterError;

use super::analysis::Analysis;
use super::file::{self, WriteError};

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
    Write(#[from] WriteError),
}

/// Every figure that the analysis has something to show in. `curves` are the
/// trials' training losses; without any there is no figure of them.
///
/// # Errors
/// When plotters fails.
pub fn figures(analysis: &Analysis, curves: &[LossCurve]) -> Result<Vec<Figure>, PlotError> {
    let drawn = [
        Some(isoflop::draw(analysis)),
        laws::draw(analysis),
        ratio::draw(analysis),
        loss_curves::draw(analysis, curves),
    ];
    drawn.into_iter().flatten().collect()
}

/// Writes the figures to `folder` as SVG and PNG; returns the files' paths.
///
/// # Errors
/// When a figure can't be rasterised or a file can't be written.
pub fn write(figures: &[Figure], folder: &Path) -> Result<Vec<PathBuf>, PlotError> {
    let rasteriser = raster::Rasteriser::new();
    let mut paths = Vec::new();
    for Figure { name, svg, .. } in figures {
        let png = rasteriser.png(svg).map_err(|source| PlotError::Raster {
            figure: name,
            source,
        })?;
        for (extension, bytes) in [("svg", svg.as_bytes()), ("png", &png)] {
            let path = folder.join(format!("{name}.{extension}"));
            file::replace(&path, bytes)?;
            paths.push(path);
        }
    }
    Ok(paths)
}

#[cfg(test)]
mod tests;
