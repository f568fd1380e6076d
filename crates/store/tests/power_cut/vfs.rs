//! SQLite's file system on the disks of [`DISKS`]. The first part of a path is the number of the disk: `/7/messages.db`.

use std::collections::BTreeMap;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr;
use std::sync::{Mutex, Once};

use rusqlite::ffi;

use crate::disk::{Disk, Off};

/// What SQLite calls it.
pub const NAME: &str = "power-cut";

static DISKS: Mutex<BTreeMap<u64, Disk>> = Mutex::new(BTreeMap::new());

/// Uses a disk; a new one is empty.
pub fn with<T>(number: u64, work: impl FnOnce(&mut Disk) -> T) -> T {
    work(DISKS.lock().unwrap().entry(number).or_default())
}

/// Throws a disk away.
pub fn remove(number: u64) {
    DISKS.lock().unwrap().remove(&number);
}

pub fn register() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let vfs = Box::leak(Box::new(ffi::sqlite3_vfs {
            iVersion: 1,
            szOsFile: size_of::<Open>() as c_int,
            mxPathname: 256,
            pNext: ptr::null_mut(),
            zName: c"power-cut".as_ptr(),
            pAppData: ptr::null_mut(),
            xOpen: Some(open),
            xDelete: Some(delete),
            xAccess: Some(access),
            xFullPathname: Some(full_pathname),
            xDlOpen: None,
            xDlError: None,
            xDlSym: None,
            xDlClose: None,
            xRandomness: Some(randomness),
            xSleep: Some(sleep),
            xCurrentTime: Some(current_time),
            xGetLastError: Some(last_error),
            xCurrentTimeInt64: None,
            xSetSystemCall: None,
            xGetSystemCall: None,
            xNextSystemCall: None,
        }));
        // SAFETY: the struct is complete, and lives as long as the program.
        let result = unsafe { ffi::sqlite3_vfs_register(vfs, 0) };
        assert_eq!(result, ffi::SQLITE_OK);
    });
}

/// An open file, in the memory that SQLite has for it.
#[repr(C)]
struct Open {
    base: ffi::sqlite3_file,
    name: *mut Name,
}

struct Name {
    disk: u64,
    path: String,
}

static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    iVersion: 1,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(lock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: None,
    xShmLock: None,
    xShmBarrier: None,
    xShmUnmap: None,
    xFetch: None,
    xUnfetch: None,
};

/// # Safety
/// `path` is null or a C string.
unsafe fn name(path: *const c_char) -> Option<Name> {
    if path.is_null() {
        return None;
    }
    // SAFETY: the caller's promise.
    let path = unsafe { CStr::from_ptr(path) }.to_str().ok()?;
    let disk = path.strip_prefix('/')?.split('/').next()?.parse().ok()?;
    Some(Name { disk, path: path.to_owned() })
}

/// # Safety
/// `file` was opened by [`open`] and is not closed.
unsafe fn opened<'a>(file: *mut ffi::sqlite3_file) -> &'a Name {
    // SAFETY: `open` put a `Name` there, which `close` alone frees.
    unsafe { &*(*file.cast::<Open>()).name }
}

fn code(result: Result<(), Off>, error: c_int) -> c_int {
    result.map_or(error, |()| ffi::SQLITE_OK)
}

unsafe extern "C" fn open(
    _: *mut ffi::sqlite3_vfs,
    path: *const c_char,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    let file = file.cast::<Open>();
    // SAFETY: SQLite hands in room for an `Open`; without methods it does not call `close`.
    unsafe { (*file).base.pMethods = ptr::null() };
    // SAFETY: SQLite hands in null or a C string.
    let Some(name) = (unsafe { name(path) }) else { return ffi::SQLITE_CANTOPEN };
    let creates = flags & ffi::SQLITE_OPEN_CREATE != 0;
    if !creates && !with(name.disk, |disk| disk.exists(&name.path)) {
        return ffi::SQLITE_CANTOPEN;
    }
    if with(name.disk, |disk| disk.open(&name.path)).is_err() {
        return ffi::SQLITE_CANTOPEN;
    }
    // SAFETY: as above; `out_flags` is null or points to a number.
    unsafe {
        (*file).name = Box::into_raw(Box::new(name));
        (*file).base.pMethods = &raw const METHODS;
        if !out_flags.is_null() {
            *out_flags = flags;
        }
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    // SAFETY: `open` made the box, and SQLite closes a file once.
    drop(unsafe { Box::from_raw((*file.cast::<Open>()).name) });
    ffi::SQLITE_OK
}

unsafe extern "C" fn read(file: *mut ffi::sqlite3_file, to: *mut c_void, octets: c_int, at: i64) -> c_int {
    // SAFETY: SQLite reads from open files, and hands in room for so many octets.
    let (name, to) =
        unsafe { (opened(file), std::slice::from_raw_parts_mut(to.cast::<u8>(), octets as usize)) };
    with(name.disk, |disk| {
        let Ok(content) = disk.content(&name.path) else { return ffi::SQLITE_IOERR_READ };
        let from = content.get(at as usize..).unwrap_or_default();
        let there = from.len().min(to.len());
        to[..there].copy_from_slice(&from[..there]);
        to[there..].fill(0);
        if there < to.len() { ffi::SQLITE_IOERR_SHORT_READ } else { ffi::SQLITE_OK }
    })
}

unsafe extern "C" fn write(
    file: *mut ffi::sqlite3_file,
    from: *const c_void,
    octets: c_int,
    at: i64,
) -> c_int {
    // SAFETY: SQLite writes to open files, and hands in so many octets.
    let (name, from) =
        unsafe { (opened(file), std::slice::from_raw_parts(from.cast::<u8>(), octets as usize)) };
    code(with(name.disk, |disk| disk.write(&name.path, at as usize, from)), ffi::SQLITE_IOERR_WRITE)
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, length: i64) -> c_int {
    // SAFETY: SQLite truncates open files.
    let name = unsafe { opened(file) };
    code(with(name.disk, |disk| disk.truncate(&name.path, length as usize)), ffi::SQLITE_IOERR_TRUNCATE)
}

unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, _: c_int) -> c_int {
    // SAFETY: SQLite syncs open files.
    let name = unsafe { opened(file) };
    code(with(name.disk, |disk| disk.sync(&name.path)), ffi::SQLITE_IOERR_FSYNC)
}

unsafe extern "C" fn file_size(file: *mut ffi::sqlite3_file, size: *mut i64) -> c_int {
    // SAFETY: SQLite asks for the size of open files, and hands in room for it.
    let (name, size) = unsafe { (opened(file), &mut *size) };
    with(name.disk, |disk| match disk.content(&name.path) {
        Ok(content) => {
            *size = content.len() as i64;
            ffi::SQLITE_OK
        }
        Err(Off) => ffi::SQLITE_IOERR_FSTAT,
    })
}

/// Nobody else is there.
unsafe extern "C" fn lock(_: *mut ffi::sqlite3_file, _: c_int) -> c_int {
    ffi::SQLITE_OK
}

unsafe extern "C" fn check_reserved_lock(_: *mut ffi::sqlite3_file, taken: *mut c_int) -> c_int {
    // SAFETY: SQLite hands in room for the answer.
    unsafe { *taken = 0 };
    ffi::SQLITE_OK
}

unsafe extern "C" fn file_control(_: *mut ffi::sqlite3_file, _: c_int, _: *mut c_void) -> c_int {
    ffi::SQLITE_NOTFOUND
}

unsafe extern "C" fn sector_size(_: *mut ffi::sqlite3_file) -> c_int {
    512
}

/// As SQLite takes every disk under Linux for.
unsafe extern "C" fn device_characteristics(_: *mut ffi::sqlite3_file) -> c_int {
    ffi::SQLITE_IOCAP_POWERSAFE_OVERWRITE
}

unsafe extern "C" fn delete(_: *mut ffi::sqlite3_vfs, path: *const c_char, _: c_int) -> c_int {
    // SAFETY: SQLite hands in a C string.
    let Some(name) = (unsafe { name(path) }) else { return ffi::SQLITE_IOERR_DELETE };
    code(with(name.disk, |disk| disk.delete(&name.path)), ffi::SQLITE_IOERR_DELETE)
}

unsafe extern "C" fn access(
    _: *mut ffi::sqlite3_vfs,
    path: *const c_char,
    _: c_int,
    there: *mut c_int,
) -> c_int {
    // SAFETY: SQLite hands in a C string, and room for the answer.
    unsafe { *there = name(path).is_some_and(|name| with(name.disk, |disk| disk.exists(&name.path))).into() };
    ffi::SQLITE_OK
}

unsafe extern "C" fn full_pathname(
    _: *mut ffi::sqlite3_vfs,
    path: *const c_char,
    octets: c_int,
    full: *mut c_char,
) -> c_int {
    // SAFETY: SQLite hands in a C string.
    let path = unsafe { CStr::from_ptr(path) }.to_bytes_with_nul();
    if path.len() > octets as usize {
        return ffi::SQLITE_CANTOPEN;
    }
    // SAFETY: there is room for so many octets.
    unsafe { ptr::copy_nonoverlapping(path.as_ptr().cast(), full, path.len()) };
    ffi::SQLITE_OK
}

/// The same octets each time: a log that was begun anew has to be told from the one before by more than chance.
unsafe extern "C" fn randomness(_: *mut ffi::sqlite3_vfs, octets: c_int, to: *mut c_char) -> c_int {
    // SAFETY: SQLite hands in room for so many octets.
    unsafe { ptr::write_bytes(to, 7, octets as usize) };
    octets
}

unsafe extern "C" fn sleep(_: *mut ffi::sqlite3_vfs, micros: c_int) -> c_int {
    micros
}

unsafe extern "C" fn current_time(_: *mut ffi::sqlite3_vfs, days: *mut f64) -> c_int {
    // SAFETY: SQLite hands in room for the answer.
    unsafe { *days = 2_460_000.5 };
    ffi::SQLITE_OK
}

unsafe extern "C" fn last_error(_: *mut ffi::sqlite3_vfs, _: c_int, _: *mut c_char) -> c_int {
    0
}
