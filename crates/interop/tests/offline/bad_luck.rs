//! A store that can't be opened or written: the server runs without it and promises nothing. The tests may run as root,
//! who may write everywhere but where there is no folder to be made.

use chappe_interop::{Agent, Folder, Server};

use crate::registered;

/// The server starts, says what is wrong with `store`, relays between those who are there, and takes nothing over.
fn runs_without(folder: Folder, store: &str) -> Server {
    folder.sms(&[("store", store)]);
    let server = Server::start(folder);
    let (folder, _) = store.rsplit_once('/').expect("a whole path");
    let printed = server.process.printed();
    let line =
        printed.lines().find(|line| line.contains("no message can be stored") && line.contains(folder));
    println!("{}", line.unwrap_or_else(|| panic!("nothing is said of {store}:\n{printed}")));

    let mut from = Agent::udp(server.sip(), "1000");
    let mut to = registered(&server, "1001");
    assert_eq!(from.message(&server.uri("1001"), "text/plain", b"live"), 200);
    assert_eq!(to.receive().text(), "live");
    let refused = from.message_with(&server.uri("1002"), "Content-Type: text/plain\r\n", b"to nobody");
    assert_eq!(refused.status(), Some(503), "{}", refused.head);
    let pause = refused.header("Retry-After").and_then(|seconds| seconds.parse::<u32>().ok());
    assert!(pause.is_some_and(|pause| pause > 0), "{}", refused.head);
    server
}

#[test]
fn a_folder_that_cannot_be_made() {
    let folder = Folder::new();
    folder.write("a-file", "not a folder");
    let store = folder.path().join("a-file/below/unmakable.db");
    runs_without(folder, &store.to_string_lossy());
}

#[test]
fn a_folder_that_nobody_can_write() {
    runs_without(Folder::new(), "/proc/self/unwritable.db");
}

#[test]
fn a_file_that_is_no_store() {
    let folder = Folder::new();
    let noise: Vec<u8> =
        (0..64 * 1024_u32).map(|number| (number.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let store = folder.path().join("corrupt.db");
    std::fs::write(&store, &noise).expect("a writable folder");
    let server = runs_without(folder, &store.to_string_lossy());
    let folder = server.kill();
    // What is there may be somebody's, or be mended.
    assert_eq!(std::fs::read(folder.path().join("corrupt.db")).expect("a readable file"), noise);
}

/// A page in the middle of the file is not what it was.
#[test]
fn a_store_that_was_damaged_loses_no_more_than_it_has_lost() {
    let folder = Folder::new();
    folder.sms(&[]);
    let server = Server::start(folder);
    let mut from = Agent::udp(server.sip(), "1000");
    for _ in 0..50 {
        assert_eq!(from.message(&server.uri("1001"), "text/plain", &[b'x'; 1000]), 202);
    }
    let folder = server.kill();
    let file = folder.path().join("db/messages.db");
    for file in [file.clone(), file.with_extension("db-wal")] {
        let Ok(mut octets) = std::fs::read(&file) else { continue };
        let middle = octets.len() / 2;
        octets[middle.saturating_sub(6000)..middle].fill(0xa5);
        std::fs::write(&file, octets).expect("a writable folder");
    }
    let server = Server::start(folder);
    let mut to = registered(&server, "1003");
    assert_eq!(from.message(&server.uri("1003"), "text/plain", b"live"), 200);
    assert_eq!(to.receive().text(), "live");
    // Either there is a store that keeps it, or its sender is told to come again.
    let status = from.message(&server.uri("1002"), "text/plain", b"to nobody");
    assert!(matches!(status, 202 | 503), "{status}");
}
