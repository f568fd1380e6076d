//! Connections that the server makes by TLS.

mod fixture;

use chappe_sip_msg::HeaderName;
use fixture::phone::{header_text, status};
use fixture::tls_device::Device;
use fixture::tls_wire::Certificates;
use fixture::{Server, param};

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
        let (name, request) = device.end().remove(0);
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
        assert_eq!(device.end().len(), usize::from(expected == 200), "{policy:?}");
    }
}

#[test]
fn a_certificate_that_stands_in_cafile_itself_is_known() {
    let certificates = Certificates::new();
    let own = fixture::tls_wire::Authority::new("unknown").issue(&["127.0.0.1"]);
    certificates.write("cafile.pem", &own.certificate);
    let device = Device::listen(&own);
    assert_eq!(message(&certificates, None, &format!("sips:1001@{}", device.addr)), 200);
    assert_eq!(device.end().len(), 1);
}
