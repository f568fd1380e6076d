//! A log file that begins anew when it is long enough, or when it is asked to.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use chappe_event::LogLine;

use super::writer::{self, Medium};

/// When a file ends and how many are kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rotation {
    pub path: PathBuf,
    /// Bytes; 0 for never.
    pub rollover: u64,
    /// How many ended files are kept.
    pub keep: u32,
    /// On SIGHUP: true begins a new file, false opens the name again (something else moved the file away).
    pub on_hup: bool,
}

/// An open log file.
pub struct RotatingFile {
    rotation: Rotation,
    out: BufWriter<File>,
    length: u64,
}

impl RotatingFile {
    pub fn open(rotation: Rotation) -> io::Result<Self> {
        if let Some(folder) = rotation.path.parent() {
            fs::create_dir_all(folder)?;
        }
        let (out, length) = append_to(&rotation.path)?;
        Ok(Self { rotation, out, length })
    }

    /// `chappe.log` becomes `chappe.log.1`, that becomes `chappe.log.2`, and so on; the oldest goes.
    fn rotate(&mut self) -> io::Result<()> {
        self.out.flush()?;
        let numbered = |number: u32| {
            let mut path = self.rotation.path.clone().into_os_string();
            path.push(format!(".{number}"));
            PathBuf::from(path)
        };
        for number in (1..self.rotation.keep).rev() {
            rename_if_there(&numbered(number), &numbered(number + 1))?;
        }
        if self.rotation.keep == 0 {
            fs::remove_file(&self.rotation.path)?;
        } else {
            rename_if_there(&self.rotation.path, &numbered(1))?;
        }
        self.open_again()
    }

    fn open_again(&mut self) -> io::Result<()> {
        (self.out, self.length) = append_to(&self.rotation.path)?;
        Ok(())
    }

    fn write_text(&mut self, text: &str) -> io::Result<()> {
        let length = text.len() as u64;
        if self.rotation.rollover > 0 && self.length > 0 && self.length + length > self.rotation.rollover {
            self.rotate()?;
        }
        self.length += length;
        writer::write_line(&mut self.out, text)
    }
}

impl Medium for RotatingFile {
    fn write(&mut self, line: &LogLine) -> io::Result<()> {
        self.write_text(&line.formatted())
    }

    fn write_loss(&mut self, lost: u64) -> io::Result<()> {
        self.write_text(&writer::loss(lost))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn reopen(&mut self) {
        let done = if self.rotation.on_hup {
            self.rotate()
        } else {
            self.out.flush().and_then(|()| self.open_again())
        };
        if let Err(error) = done {
            // This thread writes the log: it can't put a line into it.
            eprintln!("failed to rotate {}: {error}", self.rotation.path.display());
        }
    }
}

fn append_to(path: &Path) -> io::Result<(BufWriter<File>, u64)> {
    let file = OpenOptions::new().create(true).append(true).open(path)?;
    let length = file.metadata()?.len();
    Ok((BufWriter::new(file), length))
}

fn rename_if_there(from: &Path, to: &Path) -> io::Result<()> {
    match fs::rename(from, to) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(folder: &Path, rollover: u64, keep: u32, on_hup: bool) -> RotatingFile {
        let path = folder.join("deep/chappe.log");
        RotatingFile::open(Rotation { path, rollover, keep, on_hup }).expect("opens")
    }

    fn contents(folder: &Path) -> Vec<(String, String)> {
        let entries = fs::read_dir(folder.join("deep")).expect("a folder").flatten();
        let read = |path: PathBuf| fs::read_to_string(path).expect("readable");
        let mut found: Vec<_> = entries
            .map(|entry| (entry.file_name().to_string_lossy().into_owned(), read(entry.path())))
            .collect();
        found.sort();
        found
    }

    #[test]
    fn a_long_file_begins_anew_and_the_oldest_goes() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut file = file(folder.path(), 8, 2, true);
        for text in ["one\n", "two\n", "three\n", "four\n", "five\n", "six\n"] {
            file.write_text(text).expect("written");
        }
        file.flush().expect("flushed");
        let expected = [("chappe.log", "six\n"), ("chappe.log.1", "five\n"), ("chappe.log.2", "four\n")];
        assert_eq!(contents(folder.path()), expected.map(|(name, text)| (name.to_owned(), text.to_owned())));
    }

    #[test]
    fn a_hangup_rotates_or_opens_the_name_again() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut rotating = file(folder.path(), 0, 3, true);
        rotating.write_text("before").expect("written");
        rotating.reopen();
        rotating.write_text("after").expect("written");
        rotating.flush().expect("flushed");
        assert_eq!(contents(folder.path()).len(), 2);

        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut reopening = file(folder.path(), 0, 3, false);
        reopening.write_text("before").expect("written");
        let path = folder.path().join("deep/chappe.log");
        fs::rename(&path, folder.path().join("deep/moved")).expect("moved");
        reopening.reopen();
        reopening.write_text("after").expect("written");
        reopening.flush().expect("flushed");
        assert_eq!(fs::read_to_string(path).expect("readable"), "after\n");
    }
}
