//! What a profile's params say of TLS: `tls`, `tls-*`.

use std::fmt;
use std::path::PathBuf;

use chappe_config::{Diagnostics, Params};
use rustls::CipherSuite;

use super::ciphers;

/// The TLS part of a profile.
#[derive(Clone, Debug, PartialEq)]
pub struct TlsConfig {
    /// Whether the profile listens for TLS.
    pub on: bool,
    pub port: u16,
    /// What BIND-URL shows behind the address.
    pub bind_params: String,
    /// Where certificates are; `None`: in the server's folder for them, `certs_dir`.
    pub folder: Option<PathBuf>,
    pub versions: Versions,
    /// The cipher suites to offer; `None`: all that are safe.
    pub ciphers: Option<Vec<CipherSuite>>,
    pub verify: Verify,
    pub passphrase: Option<Passphrase>,
    /// Seconds for which a session may be resumed.
    pub session_lifetime: u32,
}

/// The versions of TLS that are spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Versions {
    pub v12: bool,
    pub v13: bool,
}

/// Whose certificates are checked, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verify {
    /// Who connects must show one that cafile.pem vouches for.
    pub incoming: bool,
    /// One of `in_subjects` must stand in it.
    pub subjects_in: bool,
    /// A server that is connected to must show one that somebody known vouches for.
    pub outgoing: bool,
    /// The host that is connected to must stand in it.
    pub subjects_out: bool,
    /// Whether certificates run out.
    pub date: bool,
    /// Most certificates between the peer's and one that is known.
    pub depth: usize,
    pub in_subjects: Vec<String>,
}

/// Opens private keys. It is shown to nobody.
#[derive(Clone, PartialEq, Eq)]
pub struct Passphrase(pub String);

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(..)")
    }
}

impl TlsConfig {
    /// `None`: something is wrong that would make the profile less safe than it is meant to be.
    pub fn read(params: &Params<'_>, diagnostics: &mut Diagnostics) -> Option<Self> {
        let text = |name: &str| params.get(name).filter(|text| !text.is_empty());
        let on = params.bool("tls", false, diagnostics) || params.bool("tls-only", false, diagnostics);
        Some(Self {
            on,
            port: params.u16_in("tls-sip-port", 5061, 0..=65_535, diagnostics),
            bind_params: text("tls-bind-params").unwrap_or("transport=tls").to_owned(),
            folder: text("tls-cert-dir").map(PathBuf::from),
            versions: versions(params, diagnostics)?,
            ciphers: ciphers::read(params, diagnostics)?,
            verify: Verify::read(params, diagnostics)?,
            passphrase: text("tls-passphrase").map(|text| Passphrase(text.to_owned())),
            session_lifetime: params.u32_in("tls-timeout", 300, 0..=86_400, diagnostics),
        })
    }
}

/// Deviation: FreeSWITCH offers TLS 1.0 and 1.1 unless told otherwise; RFC 8996 forbids both.
fn versions(params: &Params<'_>, diagnostics: &mut Diagnostics) -> Option<Versions> {
    let Some(text) = params.get("tls-version").filter(|text| !text.trim().is_empty()) else {
        return Some(Versions { v12: true, v13: true });
    };
    let at = params.at("tls-version");
    let mut versions = Versions { v12: false, v13: false };
    for name in text.split([',', '|']).map(str::trim).filter(|name| !name.is_empty()) {
        let why = match name.to_ascii_lowercase().as_str() {
            "tlsv1.2" => {
                versions.v12 = true;
                continue;
            }
            "tlsv1.3" => {
                versions.v13 = true;
                continue;
            }
            "tlsv1" | "tlsv1.0" | "tlsv1.1" | "sslv2" | "sslv3" | "sslv23" => {
                "is not offered, RFC 8996 forbids it"
            }
            _ => "is not known",
        };
        let what = format!("tls-version {name} {why}; write tlsv1.2,tlsv1.3");
        diagnostics.warning(at.cloned(), what);
    }
    if versions.v12 || versions.v13 {
        return Some(versions);
    }
    diagnostics.error(
        at.cloned(),
        format!("tls-version {text} leaves no version that is offered; write tlsv1.2,tlsv1.3"),
    );
    None
}

impl Verify {
    fn read(params: &Params<'_>, diagnostics: &mut Diagnostics) -> Option<Self> {
        let subjects = params.get("tls-verify-in-subjects").unwrap_or_default();
        let mut verify = Self {
            incoming: false,
            subjects_in: false,
            outgoing: false,
            subjects_out: false,
            date: params.bool("tls-verify-date", true, diagnostics),
            depth: params.u16_in("tls-verify-depth", 2, 0..=6, diagnostics).into(),
            in_subjects: words(subjects).map(str::to_owned).collect(),
        };
        // Deviation: FreeSWITCH checks nobody unless told to; a server that is connected to could then be anybody's.
        let policy = params.get("tls-verify-policy").filter(|text| !text.trim().is_empty());
        let at = || params.at("tls-verify-policy").cloned();
        for word in words(policy.unwrap_or("subjects_out")) {
            if !verify.add(word) {
                let known = "none, in, out, all, subjects_in, subjects_out and subjects_all";
                diagnostics.error(at(), format!("tls-verify-policy {word} is not known; {known} are"));
                return None;
            }
        }
        if verify.subjects_in && verify.in_subjects.is_empty() {
            diagnostics
                .error(at(), "tls-verify-policy asks for subjects, but tls-verify-in-subjects names none");
            return None;
        }
        Some(verify)
    }

    /// One word of the policy; `false`: there is no such word. FreeSWITCH sofia_glue.c sofia_glue_str2tls_verify_policy.
    fn add(&mut self, word: &str) -> bool {
        let (incoming, outgoing, subjects) = match word.to_ascii_lowercase().as_str() {
            "none" => (false, false, false),
            "in" => (true, false, false),
            "out" => (false, true, false),
            "all" => (true, true, false),
            "subjects_in" => (true, false, true),
            "subjects_out" => (false, true, true),
            "subjects_all" => (true, true, true),
            _ => return false,
        };
        self.incoming |= incoming;
        self.outgoing |= outgoing;
        self.subjects_in |= incoming && subjects;
        self.subjects_out |= outgoing && subjects;
        true
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(['|', ',']).map(str::trim).filter(|word| !word.is_empty())
}
