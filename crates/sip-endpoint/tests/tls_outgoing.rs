//! Connections that the server makes by TLS.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod fixture;

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;

use chappe_sip_msg::{HeaderName, ResponseWriter};
use fixture::phone::{header_text, parsed, status};
use fixture::tls_wire::{Certificates, Own};
use fixture::{Server, param};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// A device that is connected to: takes one connection, answers one request.
struct Device {
    addr: SocketAddr,
    seen: Receiver<(Option<String>, Vec<u8>)>,
    thread: JoinHandle<()>,
}

impl Device {
    fn listen(own: &Own) -> Self {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let certificate = CertificateDer::from_pem_slice(own.certificate.as_bytes()).unwrap();
        let key = PrivateKeyDer::from_pem_slice(own.key.as_bytes()).unwrap();
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let (tell, seen) = channel();
        let thread = std::thread::spawn(move || {
            let (socket, _) = listener.accept().unwrap();
            let connection = ServerConnection::new(Arc::new(config)).unwrap();
            let mut stream = StreamOwned::new(connection, socket);
            let mut request = vec![0; 8192];
            // A client that does not like the certificate says so here.
            let Ok(length @ 1..) = stream.read(&mut request) else { return };
            let mut answer = Vec::new();
            ResponseWriter::to(&parsed(&request[..length]), None, 200, "", "d", &mut answer).finish();
            stream.write_all(&answer).unwrap();
            request.truncate(length);
            let name = stream.conn.server_name().map(str::to_owned);
            tell.send((name, request)).unwrap();
        });
        Self { addr, seen, thread }
    }

    /// What came: the name that was asked for, and the request.
    fn end(self) -> Option<(Option<String>, Vec<u8>)> {
        self.thread.join().unwrap();
        self.seen.try_recv().ok()
    }
}

/// Registers a contact at the device and sends it a message; the sender's final response.
fn message(certificates: &Certificates, policy: Option<&str>, contact: &str) -> u16 {
    let policy = policy.map(|policy| param("tls-verify-policy", policy)).unwrap_or_default();
    let server = Server::with(&(certificates.params() + &policy));
    let mut phone = server.phone("1001");
    assert_eq!(status(&phone.register_contacts(&format!("Contact: <{contact}>\r\n"))), 200);
    status(&server.phone("1000").message("1001", "out by tls"))
}

#[test]
fn a_device_whose_certificate_is_known_and_names_it_gets_the_message() {
    let certificates = Certificates::new();
    certificates.write("cafile.pem", &certificates.authority.pem());
    for uri in ["sips:1001@", "sip:1001@"] {
        let device = Device::listen(&certificates.authority.issue(&["127.0.0.1"]));
        let param = if uri.starts_with("sips") { "" } else { ";transport=tls" };
        let contact = format!("{uri}{}{param}", device.addr);
        assert_eq!(message(&certificates, None, &contact), 200);
        let (name, request) = device.end().unwrap();
        // An address is no name to ask for, RFC 6066 §3.
        assert_eq!(name, None);
        assert!(header_text(&request, HeaderName::Via).starts_with("SIP/2.0/TLS 127.0.0.1:"));
    }
}

#[test]
fn whoever_is_not_who_was_meant_gets_nothing() {
    let certificates = Certificates::new();
    certificates.write("cafile.pem", &certificates.authority.pem());
    let other_name = certificates.authority.issue(&["192.0.2.1"]);
    let stranger = fixture::tls_wire::Authority::new("somebody else").issue(&["127.0.0.1"]);
    let old = certificates.authority.issue_until(&["127.0.0.1"], 2001);
    for (own, policy, expected) in [
        (&other_name, None, 202),
        (&other_name, Some("out"), 200),
        (&stranger, None, 202),
        (&stranger, Some("out"), 202),
        (&stranger, Some("none"), 200),
        (&old, None, 202),
    ] {
        let device = Device::listen(own);
        let contact = format!("sips:1001@{}", device.addr);
        assert_eq!(message(&certificates, policy, &contact), expected, "{policy:?}");
        assert_eq!(device.end().is_some(), expected == 200, "{policy:?}");
    }
}

#[test]
fn a_certificate_that_stands_in_cafile_itself_is_known() {
    let certificates = Certificates::new();
    let own = fixture::tls_wire::Authority::new("unknown").issue(&["127.0.0.1"]);
    certificates.write("cafile.pem", &own.certificate);
    let device = Device::listen(&own);
    assert_eq!(message(&certificates, None, &format!("sips:1001@{}", device.addr)), 200);
    assert!(device.end().is_some());
}
