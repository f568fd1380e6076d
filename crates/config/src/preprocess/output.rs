//! The text that comes out, and where its pieces come from.

use super::expand::Expanded;
use super::{Cursor, Preprocessor, column_number};
use crate::{Location, limits};

impl Preprocessor<'_> {
    /// Whether what follows this piece stands in an XML comment.
    pub(super) fn is_comment_after(&self, piece: &str) -> bool {
        let (opened, closed) = (piece.rfind("<!--"), piece.rfind("-->"));
        if opened == closed { self.in_xml_comment } else { opened > closed }
    }

    /// Writes a part of a line, keeping where its pieces come from.
    pub(super) fn write(&mut self, cursor: &Cursor, line: &Expanded<'_>, from: usize, to: usize) {
        if from == to || self.is_full(&cursor.at(0), to - from) {
            return;
        }
        let start = self.text.len();
        self.map.add(start, &cursor.file, cursor.line, column_number(line.column_of(from)));
        for &(expanded, written) in
            line.shifts.iter().filter(|(expanded, _)| (from + 1..to).contains(expanded))
        {
            self.map.add(start + expanded - from, &cursor.file, cursor.line, column_number(written));
        }
        let piece = &line.text[from..to];
        self.text.push_str(piece);
        self.in_xml_comment = self.is_comment_after(piece);
    }

    /// The output of a command is not preprocessed again.
    pub(super) fn write_output(&mut self, at: &Location, output: &str) {
        if !self.is_full(at, output.len()) {
            self.map.add(self.text.len(), &at.file, at.line, at.column);
            self.text.push_str(output);
        }
    }

    fn is_full(&mut self, at: &Location, more: usize) -> bool {
        if !self.full && self.text.len() + more > limits::TOTAL_SIZE {
            self.stop(Some(at), format!("the configuration is larger than {} MiB", limits::TOTAL_SIZE >> 20));
        }
        self.full
    }
}
