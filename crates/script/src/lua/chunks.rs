//! Compiled chunks of one state.

use std::collections::HashMap;
use std::fs::Metadata;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use mlua::chunk::ChunkMode;
use mlua::{Function, Lua};

/// Chunks that are kept; all are forgotten when there would be more.
const MAX_KEPT: usize = 256;
/// The octets of one script.
const MAX_OCTETS: u64 = 16 << 20;

/// What was compiled, and of what.
#[derive(Default)]
pub(super) struct Chunks {
    files: HashMap<PathBuf, (Version, Chunk)>,
    codes: HashMap<Box<str>, Chunk>,
}

/// A compiled text, whose environment is the state's.
#[derive(Clone)]
struct Chunk {
    function: Function,
    /// The text names `_ENV`: it may have exchanged it when it ran before.
    names_env: bool,
}

#[derive(PartialEq, Eq)]
struct Version {
    changed: Option<SystemTime>,
    octets: u64,
}

/// Why there is no chunk.
#[derive(Debug, thiserror::Error)]
pub(super) enum ChunkError {
    #[error("cannot open {}: {error}", .path.display())]
    File { path: PathBuf, error: io::Error },
    #[error("cannot open {}: it has more than {} MiB", .path.display(), MAX_OCTETS >> 20)]
    TooBig { path: PathBuf },
    #[error(transparent)]
    Lua(#[from] mlua::Error),
}

impl Chunks {
    /// The file, compiled; anew when it changed.
    pub(super) fn file(&mut self, lua: &Lua, path: &Path) -> Result<Function, ChunkError> {
        let failed = |error| ChunkError::File { path: path.to_owned(), error };
        let version = Version::of(&std::fs::metadata(path).map_err(failed)?);
        if version.octets > MAX_OCTETS {
            return Err(ChunkError::TooBig { path: path.to_owned() });
        }
        if let Some((_, chunk)) = self.files.get(path).filter(|(known, _)| *known == version) {
            return Ok(chunk.ready(lua)?);
        }
        let text = std::fs::read(path).map_err(failed)?;
        let chunk = compile(lua, without_first_line(&text), &format!("@{}", path.display()))?;
        if self.files.len() >= MAX_KEPT {
            self.files.clear();
        }
        let function = chunk.function.clone();
        self.files.insert(path.to_owned(), (version, chunk));
        Ok(function)
    }

    pub(super) fn code(&mut self, lua: &Lua, code: &str) -> Result<Function, ChunkError> {
        if let Some(chunk) = self.codes.get(code) {
            return Ok(chunk.ready(lua)?);
        }
        let chunk = compile(lua, code.as_bytes(), "=line")?;
        if self.codes.len() >= MAX_KEPT {
            self.codes.clear();
        }
        let function = chunk.function.clone();
        self.codes.insert(code.into(), chunk);
        Ok(function)
    }
}

impl Chunk {
    /// The function, for one more run.
    fn ready(&self, lua: &Lua) -> mlua::Result<Function> {
        if self.names_env {
            self.function.set_environment(lua.globals())?;
        }
        Ok(self.function.clone())
    }
}

impl Version {
    fn of(file: &Metadata) -> Self {
        Self { changed: file.modified().ok(), octets: file.len() }
    }
}

/// Text alone: compiled code that was tampered with could bring the server down.
fn compile(lua: &Lua, text: &[u8], name: &str) -> mlua::Result<Chunk> {
    let function = lua.load(text).set_name(name).set_mode(ChunkMode::Text).into_function()?;
    Ok(Chunk { function, names_env: memchr::memmem::find(text, b"_ENV").is_some() })
}

/// A first line that begins with `#` is for the shell; its newline stays, for the line numbers.
fn without_first_line(text: &[u8]) -> &[u8] {
    if text.first() != Some(&b'#') {
        return text;
    }
    let end = text.iter().position(|&octet| octet == b'\n').unwrap_or(text.len());
    &text[end..]
}
