//! Opens the file: the folder, the lock, the permissions, what SQLite is told, the schema.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::fault::{self, Fault};
use super::options::SqliteOptions;
use super::schema;
use super::writing::Writing;
use crate::StoreError;

/// Octets of a page. A message takes about half of one.
const PAGE: u32 = 4096;
/// KiB of pages kept in memory for writing.
const WRITING_CACHE: i32 = 24 << 10;
/// KiB of pages kept in memory for reading.
const READING_CACHE: i32 = 8 << 10;
/// Prepared statements kept.
const STATEMENTS: usize = 64;
/// How long another program's lock on the file, a backup's for instance, is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// The file, open for writing.
pub struct Opened {
    pub writing: Writing,
    /// Held as long as the file is open.
    _lock: Option<File>,
    /// Device and number of the file, for as long as it has its name.
    file: Option<(u64, u64)>,
}

impl Opened {
    /// Whether the file was moved or removed: what is written into it would be found by nobody.
    pub fn is_moved(&self, path: &Path) -> bool {
        self.file.is_some_and(|file| identity(path).ok() != Some(file))
    }
}

/// Opens the file for writing, makes it when it is not there, and brings its schema up to date.
pub fn open(path: &Path, options: &SqliteOptions) -> Result<Opened, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    if let Some(vfs) = &options.vfs {
        let flags = flags | OpenFlags::SQLITE_OPEN_CREATE;
        let connection = Connection::open_with_flags_and_vfs(path, flags, vfs.as_str());
        let writing = connection.and_then(|connection| prepare(connection, options, "EXCLUSIVE"));
        return Ok(Opened { writing: known(path, writing)?, _lock: None, file: None });
    }
    make_folder(path)?;
    let lock = lock(path)?;
    let created = make_file(path)?;
    if !created {
        look_at_header(path)?;
    }
    let connection = Connection::open_with_flags(path, flags);
    let writing = connection.and_then(|connection| prepare(connection, options, "NORMAL"));
    let writing = known(path, writing)?;
    let file = identity(path).map_err(|error| fault::of_system(&error, "look at the store"))?;
    Ok(Opened { writing, _lock: Some(lock), file: Some(file) })
}

/// Opens the file for reading beside the writer.
pub fn open_to_read(path: &Path) -> Result<Connection, Fault> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(PATIENCE)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.pragma_update(None, "cache_size", -READING_CACHE)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    Ok(connection)
}

/// What keeps a file from being ours.
enum Refusal {
    Fault(Fault),
    ReadOnly,
    Newer(i64),
    Foreign,
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

fn prepare(
    mut connection: Connection,
    options: &SqliteOptions,
    locking: &str,
) -> Result<Result<Writing, Refusal>, Fault> {
    let prepared = set_up(&mut connection, options, locking);
    Ok(match prepared {
        Ok(()) => Writing::new(connection).map_err(Refusal::Fault),
        Err(refusal) => {
            // Closing must not copy the log of a file that is not to be touched.
            let _ = connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
            Err(refusal)
        }
    })
}

fn set_up(connection: &mut Connection, options: &SqliteOptions, locking: &str) -> Result<(), Refusal> {
    connection.busy_timeout(PATIENCE)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // EXCLUSIVE before the log's first use: then it needs no shared memory.
    connection.pragma_update(None, "locking_mode", locking)?;
    check_owner(connection)?;
    if connection.is_readonly("main")? {
        return Err(Refusal::ReadOnly);
    }
    connection.pragma_update(None, "page_size", PAGE)?;
    let journal: String =
        connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    if !journal.eq_ignore_ascii_case("wal") {
        return Err(Refusal::ReadOnly);
    }
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "wal_autocheckpoint", options.log_pages)?;
    connection.pragma_update(
        None,
        "journal_size_limit",
        i64::from(options.log_pages) * i64::from(PAGE) * 2,
    )?;
    connection.pragma_update(None, "cache_size", -WRITING_CACHE)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    if let Some(pages) = options.max_pages {
        connection.pragma_update(None, "max_page_count", pages)?;
    }
    Ok(schema::migrate(connection, schema::STEPS)?)
}

/// Refuses files of a later chappe and of other programs, before anything is written into them.
fn check_owner(connection: &Connection) -> Result<(), Refusal> {
    let version = schema::version(connection)?;
    let application: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    match application {
        schema::APPLICATION if version > schema::STEPS.len() as i64 => Err(Refusal::Newer(version)),
        schema::APPLICATION => Ok(()),
        0 if version == 0 && tables == 0 => Ok(()),
        _ => Err(Refusal::Foreign),
    }
}

/// In the store's words, with what the operator can do.
fn known(path: &Path, opened: Result<Result<Writing, Refusal>, Fault>) -> Result<Writing, StoreError> {
    let file = path.display();
    let advice = format!(
        "move {file} and what lies beside it as {0}-wal and {0}-shm away, and a new store is made",
        name(path)
    );
    let refusal = match opened {
        Ok(Ok(writing)) => return Ok(writing),
        Ok(Err(refusal)) => refusal,
        Err(fault) => Refusal::Fault(fault),
    };
    Err(match refusal {
        Refusal::ReadOnly => StoreError::ReadOnly,
        Refusal::Newer(found) => newer(path, found),
        Refusal::Foreign => StoreError::Corrupt(format!(
            "{file} is the database of another program: name another file in `store`"
        )),
        Refusal::Fault(fault) => match (fault::error(&fault), fault.sqlite_error_code()) {
            (StoreError::Corrupt(_), Some(ErrorCode::NotADatabase)) => {
                StoreError::Corrupt(format!("{file} is no database: {advice}"))
            }
            (StoreError::Corrupt(why), _) => StoreError::Corrupt(format!("{file}: {why}: {advice}")),
            (error, _) => error,
        },
    })
}

fn newer(path: &Path, found: i64) -> StoreError {
    StoreError::Newer { path: path.to_owned(), found, known: schema::STEPS.len() as i64 }
}

fn name(path: &Path) -> std::borrow::Cow<'_, str> {
    path.file_name().map_or_else(|| "".into(), |name| name.to_string_lossy())
}

fn make_folder(path: &Path) -> Result<(), StoreError> {
    let folder = folder(path);
    if folder.is_dir() {
        return Ok(());
    }
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|error| fault::of_system(&error, &format!("make the folder {}", folder.display())))
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Two servers must not have the same file: each would send the other's messages.
fn lock(path: &Path) -> Result<File, StoreError> {
    let mut beside = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned()).into_os_string();
    beside.push(".lock");
    let beside = PathBuf::from(beside);
    let doing = format!("lock {}", path.display());
    let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&beside);
    let file = file.map_err(|error| fault::of_system(&error, &doing))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            Err(StoreError::Failed(format!("{} is in use by another chappe", path.display())))
        }
        Err(TryLockError::Error(error)) => Err(fault::of_system(&error, &doing)),
    }
}

/// Makes the file when it is not there, for its owner alone: the log beside it gets the same permissions.
fn make_file(path: &Path) -> Result<bool, StoreError> {
    let doing = format!("make {}", path.display());
    let failed = |error: io::Error| fault::of_system(&error, &doing);
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        // Its name must survive a power cut as its content does.
        Ok(_) => File::open(folder(path)).and_then(|folder| folder.sync_all()).map(|()| true).map_err(failed),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(failed(error)),
    }
}

/// Refuses a newer file by its header: when SQLite opens it, it may begin to tidy up.
fn look_at_header(path: &Path) -> Result<(), StoreError> {
    let mut header = [0; 100];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut header));
    let number = |at: usize| i32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
    // SQLite's file format, 1.3: the user version is at 60, the application id at 68.
    let (version, application) = (i64::from(number(60)), number(68));
    match read {
        Ok(()) if application == schema::APPLICATION && version > schema::STEPS.len() as i64 => {
            Err(newer(path, version))
        }
        Ok(()) => Ok(()),
        // Shorter than a header: SQLite knows what that means.
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(()),
        Err(error) => Err(fault::of_system(&error, &format!("read {}", path.display()))),
    }
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    let metadata = fs::metadata(path)?;
    Ok((metadata.dev(), metadata.ino()))
}
