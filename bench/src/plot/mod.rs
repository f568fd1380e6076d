//! Figures as SVG, written by hand: no more than lines, text and a frame.

pub mod bars;
pub mod curves;
