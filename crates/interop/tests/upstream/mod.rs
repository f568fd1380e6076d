//! A Kamailio of the test's own, which speaks UDP, TCP and TLS.

use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use chappe_interop::{Driven, Folder, Secure, find, free_port};

/// A running Kamailio; ended when dropped.
pub struct Kamailio {
    pub process: Driven,
    pub ip: Ipv4Addr,
    /// For UDP and TCP.
    pub port: u16,
    /// For TLS.
    pub tls_port: u16,
    _folder: tempfile::TempDir,
}

/// Where a Kamailio is going to listen.
#[derive(Clone, Copy)]
pub struct At {
    pub ip: Ipv4Addr,
    pub port: u16,
    pub tls_port: u16,
}

impl At {
    pub fn new(ip: Ipv4Addr) -> At {
        At { ip, port: free_port(), tls_port: free_port() }
    }
}

impl Kamailio {
    /// Waits until it serves. `names`: whom its certificate is for; those who connect to it, and those whom it connects to, have
    /// to be known to the same authority. `routes`: its request_route and what belongs to that.
    pub fn start(at: At, secure: &Secure, names: &[&str], routes: &str) -> Option<Kamailio> {
        let program = find("kamailio")?;
        if !has_tls() {
            println!("skipped: kamailio-tls-modules is not installed");
            return None;
        }
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path();
        let write = |name: &str, text: &str| {
            std::fs::write(path.join(name), text).expect("a writable folder");
        };
        write("own.pem", &secure.issue(names));
        write("kamailio.cfg", &(settings(at, path, &secure.authority) + routes));
        let mut command = Command::new(program);
        command.arg("-f").arg(path.join("kamailio.cfg"));
        command.args(["-DD", "-E", "-e", "-m", "64", "-M", "8", "-Y"]).arg(path).arg("-w").arg(path);
        let At { ip, port, tls_port } = at;
        let kamailio = Kamailio { process: Driven::start(command), ip, port, tls_port, _folder: folder };
        for port in [port, tls_port] {
            kamailio.until_it_listens(SocketAddr::from((ip, port)));
        }
        Some(kamailio)
    }

    /// Its address for UDP and TCP.
    pub fn addr(&self) -> SocketAddr {
        SocketAddr::from((self.ip, self.port))
    }

    /// Where it takes SIP by a transport.
    pub fn by(&self, transport: &str) -> SocketAddr {
        SocketAddr::from((self.ip, if transport == "tls" { self.tls_port } else { self.port }))
    }

    fn until_it_listens(&self, address: SocketAddr) {
        let end = Instant::now() + Duration::from_secs(15);
        while TcpStream::connect(address).is_err() {
            let printed = || self.process.printed();
            assert!(Instant::now() < end, "Kamailio does not listen at {address}:\n{}", printed());
            std::thread::park_timeout(Duration::from_millis(20));
        }
    }
}

impl Drop for Kamailio {
    fn drop(&mut self) {
        // Its children would outlive it if it were killed.
        self.process.terminate();
    }
}

/// Debian has the module in a package of its own, below a folder for the kind of machine.
fn has_tls() -> bool {
    let folders = std::fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    let mut folders = folders.map(|entry| entry.path()).chain(["/usr/lib".into()]);
    folders.any(|folder| folder.join("kamailio/modules/tls.so").is_file())
}

/// TLS for a folder whose server checks those whom it connects to.
pub fn secured(folder: &Folder) -> Secure {
    let secure = Secure::of(folder);
    secure.believed_by(folder);
    secure
}

fn settings(at: At, folder: &Path, authority: &Path) -> String {
    let At { ip, port, tls_port } = at;
    let (own, authority) = (folder.join("own.pem"), authority.display());
    let own = own.display();
    format!(
        r#"#!KAMAILIO
debug=1
log_stderror=yes
children=1
tcp_children=1
auto_aliases=no
enable_tls=yes
listen=udp:{ip}:{port}
listen=tcp:{ip}:{port}
listen=tls:{ip}:{tls_port}
tcp_source_ipv4={ip}
loadmodule "tls.so"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "pv.so"
loadmodule "rr.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "auth.so"
loadmodule "xlog.so"
modparam("usrloc", "db_mode", 0)
modparam("auth", "nonce_count", 1)
modparam("auth", "qop", "auth")
modparam("tls", "tls_method", "TLSv1.2+")
modparam("tls", "certificate", "{own}")
modparam("tls", "private_key", "{own}")
modparam("tls", "ca_list", "{authority}")
modparam("tls", "verify_certificate", 1)
modparam("tls", "require_certificate", 0)
"#
    )
}
