//! The HTTP client of one binding: its connections, certificates and addresses.

use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, Identity};

use crate::{GatewaySettings, XmlCurlError};

/// As many as FreeSWITCH follows.
const MOST_REDIRECTS: usize = 10;

/// FreeSWITCH's says `freeswitch-xml/1.0`, which is what web servers look for.
const USER_AGENT: &str = concat!("freeswitch-xml/1.0 (chappe/", env!("CARGO_PKG_VERSION"), ")");

/// Reads the certificates' files, so it blocks.
pub(crate) fn client(settings: &GatewaySettings) -> Result<Client, XmlCurlError> {
    chappe_curl::install_provider();
    let mut builder = Client::builder()
        .user_agent(USER_AGENT)
        .redirect(Policy::limited(MOST_REDIRECTS))
        .connect_timeout(settings.connect_timeout)
        .local_address(settings.bind_local);
    if !settings.check_certificate {
        builder = builder.tls_danger_accept_invalid_certs(true);
    } else if !settings.check_host {
        builder = builder.tls_danger_accept_invalid_hostnames(true);
    }
    if let Some(path) = &settings.ca_file {
        builder = builder.tls_certs_only(Certificate::from_pem_bundle(&read(path)?)?);
    } else if settings.url.get(..6).is_some_and(|scheme| scheme.eq_ignore_ascii_case("http:/")) {
        // A machine without certificates can still speak http.
        builder = builder.tls_certs_only([]);
    }
    if let Some((certificate, key)) = &settings.certificate {
        let mut pem = read(key)?;
        pem.push(b'\n');
        pem.extend(read(certificate)?);
        builder = builder.identity(Identity::from_pem(&pem)?);
    }
    Ok(builder.build()?)
}

fn read(path: &str) -> Result<Vec<u8>, XmlCurlError> {
    std::fs::read(path).map_err(|error| XmlCurlError::File { path: path.to_owned(), error })
}
