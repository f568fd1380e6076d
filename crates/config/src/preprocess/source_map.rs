//! From the preprocessed text back to the files.

use std::sync::Arc;

use super::{Lines, column_number};
use crate::Location;

/// Where each piece of a text comes from, in the order of the text.
#[derive(Clone, Debug, Default)]
pub(crate) struct SourceMap {
    files: Vec<Arc<str>>,
    pieces: Vec<Piece>,
}

#[derive(Clone, Copy, Debug)]
struct Piece {
    start: usize,
    file: usize,
    line: u32,
    column: u32,
}

impl SourceMap {
    /// What stands nowhere else stands at the start of this file.
    pub fn starting_in(file: Arc<str>) -> Self {
        SourceMap { files: vec![file], pieces: Vec::new() }
    }

    /// The map of a text that is a file as it stands.
    pub fn of_one_file(name: &str, text: &str) -> Self {
        let file: Arc<str> = name.into();
        let mut map = SourceMap::starting_in(file.clone());
        let (mut start, mut line) = (0, 1u32);
        for content in Lines(text) {
            map.add(start, &file, line, 1);
            start += content.len();
            line = line.saturating_add(1);
        }
        map
    }

    /// What follows from `start` on, which is not before the last piece's, comes from there.
    pub fn add(&mut self, start: usize, file: &Arc<str>, line: u32, column: u32) {
        if self.files.last() != Some(file) {
            self.files.push(file.clone());
        }
        let file = self.files.len() - 1;
        self.pieces.push(Piece { start, file, line, column });
    }

    /// Where the octet at this offset was written.
    pub fn locate(&self, offset: usize) -> Location {
        let after = self.pieces.partition_point(|piece| piece.start <= offset);
        let Some(piece) = after.checked_sub(1).and_then(|index| self.pieces.get(index)) else {
            return self.files.first().map(|file| Location::new(file.clone(), 1, 1)).unwrap_or_default();
        };
        Location {
            file: self.files[piece.file].clone(),
            line: piece.line,
            column: column_number(offset - piece.start).saturating_add(piece.column - 1),
        }
    }
}
