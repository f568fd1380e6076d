//! JsSIP and SIP.js in Chromium, by WebSocket with TLS.

use std::process::Command;
use std::time::Duration;

use chappe_interop::{Driven, Folder, PASSWORD, Secure, Server, TEXT, find, free_port, node_modules};
use tempfile::TempDir;

/// Chromium starts slowly where others work as well.
const START: Duration = Duration::from_secs(60);

/// A page in a browser, and the web server that it came from; both end when dropped.
struct Page {
    web: Driven,
    _browser: Driven,
    _home: TempDir,
}

impl Page {
    /// Opens `http://HOST:PORT/`, which has one of the two libraries, in a browser that believes the folder's certificate.
    /// `None` where something is missing.
    fn open(library: &Library, folder: &Folder, host: &str, port: u16) -> Option<Page> {
        let (node, chromium) = (find("node")?, find("chromium")?);
        node_modules("esbuild")?;
        let modules = node_modules(library.package)?.join("node_modules");
        let home = tempfile::tempdir().expect("a temporary folder");

        let mut web = Command::new(node);
        web.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/clients/browser/serve.js"));
        web.args([library.page, &port.to_string()]).arg(folder.path().join("certs/agent.pem"));
        web.env("NODE_PATH", modules);
        let web = Driven::start(web);
        web.expect("\n");
        let printed = web.printed();
        let hash = printed.trim().strip_prefix("spki ").unwrap_or_else(|| panic!("no page: {printed}"));

        let mut browser = Command::new(chromium);
        browser.args(FLAGS).env("HOME", home.path());
        browser.arg(format!("--user-data-dir={}", home.path().join("profile").display()));
        browser.arg(format!("--ignore-certificate-errors-spki-list={hash}"));
        browser.arg(format!("http://{host}:{port}/"));
        let browser = Driven::start(browser);
        assert!(web.wait_for("here\n", START), "the page did not come up:\n{}", browser.printed());
        Some(Page { web, _browser: browser, _home: home })
    }

    /// Lets a user register.
    fn start(&mut self, secure: &Secure, user: &str, password: &str) {
        self.web.say(&format!("start {} 127.0.0.1 {user} {password}", secure.wss()));
    }

    fn send(&mut self, user: &str, uri: &str, text: &str) {
        self.web.say(&format!("send {user} {uri} {text}"));
    }
}

/// Nothing that is needed here, nobody who is not on loopback; root has no sandbox.
const FLAGS: [&str; 9] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--no-proxy-server",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
];

/// What a page is made of.
struct Library {
    /// The file in `clients/browser`.
    page: &'static str,
    package: &'static str,
}

const JSSIP: Library = Library { page: "jssip", package: "jssip" };
const SIP_JS: Library = Library { page: "sip", package: "sip.js" };

fn chat(library: &Library) {
    let (folder, port) = (Folder::new(), free_port());
    let secure = Secure::of(&folder);
    folder.profile(&[("ws-allowed-origins", &format!("http://127.0.0.1:{port}"))]);
    let Some(mut page) = Page::open(library, &folder, "127.0.0.1", port) else { return };
    let server = Server::start(folder);
    for user in ["1000", "1001"] {
        page.start(&secure, user, PASSWORD);
        page.web.expect(&format!("{user} registered\n"));
    }
    page.send("1000", "sip:1001@127.0.0.1", TEXT);
    page.web.expect(&format!("1001 received 1000 text/plain {TEXT}\n"));
    page.web.expect("1000 status 200\n");
    page.send("1001", "sip:echo@127.0.0.1", TEXT);
    page.web.expect(&format!("1001 received echo text/plain Hello, you said: {TEXT}\n"));
    page.start(&secure, "1002", "wrong");
    page.web.expect("1002 refused");
    drop(server);
}

/// The same page from a web site that is not allowed.
fn foreign(library: &Library) {
    let (folder, port) = (Folder::new(), free_port());
    let secure = Secure::of(&folder);
    folder.profile(&[("ws-allowed-origins", &format!("http://127.0.0.1:{port}"))]);
    let Some(mut page) = Page::open(library, &folder, "localhost", port) else { return };
    let server = Server::start(folder);
    page.start(&secure, "1000", PASSWORD);
    page.web.expect("1000 disconnected\n");
    server.process.expect("Origin");
    assert!(!page.web.printed().contains("registered"));
}

#[test]
fn jssip() {
    chat(&JSSIP);
}

#[test]
fn jssip_from_a_foreign_site() {
    foreign(&JSSIP);
}

#[test]
fn sip_js() {
    chat(&SIP_JS);
}

#[test]
fn sip_js_from_a_foreign_site() {
    foreign(&SIP_JS);
}
