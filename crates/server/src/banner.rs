//! What `chappe serve` says on standard output when it is ready: where it listens, and what to try.

use std::fmt::Write;
use std::net::SocketAddr;
use std::path::Path;

/// What the banner tells.
pub struct Banner<'a> {
    /// The configuration, as in a sentence.
    pub configuration: &'a str,
    /// Profile, transport and address.
    pub sip: &'a [(String, &'static str, SocketAddr)],
    pub event_socket: Option<SocketAddr>,
    /// The password made at this start, when a configuration uses it.
    pub password: Option<&'a str>,
    /// The lines that show a newcomer that it works.
    pub demo: bool,
    /// How to call this program.
    pub program: &'a Path,
}

impl Banner<'_> {
    pub fn text(&self) -> String {
        let mut text = format!("chappe {} runs {}\n\n", crate::version::SHORT, self.configuration);
        // Writing to a String does not fail.
        for (profile, transport, address) in self.sip {
            let _ = writeln!(text, "  SIP           {address}/{transport} (profile {profile})");
        }
        if let Some(address) = self.event_socket {
            let _ = writeln!(text, "  event socket  {address}");
        }
        if let Some(password) = self.password {
            let _ = writeln!(text, "  users         1000 to 1019, password {password} until the next start");
        }
        if self.demo {
            text.push_str(&self.lines_to_try());
        }
        text.push_str("\nready\n");
        text
    }

    fn lines_to_try(&self) -> String {
        let address =
            self.sip.iter().find(|(_, transport, _)| *transport == "udp").map(|(_, _, address)| *address);
        let (Some(address), Some(password)) = (address, self.password) else { return String::new() };
        let program = shell(&self.program.to_string_lossy());
        let mut server = String::new();
        if address != SocketAddr::from(([127, 0, 0, 1], 5060)) {
            server = format!(" --server {address}");
        }
        let common = format!("{program} send --password {password}{server}");
        format!(
            "\nTry it, in a second terminal. The chatplan answers whoever writes to echo:\n\n  \
             {common} --to echo --wait 5 'Hello there'\n\n\
             From one user to another: 1001 waits for a minute in one terminal, 1000 writes in another:\n\n  \
             {common} --from 1001 --wait 60\n  \
             {common} --from 1000 --to 1001 'Hello 1001'\n"
        )
    }
}

/// `text` as one word of a shell.
fn shell(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+:@".contains(&byte);
    if !text.is_empty() && text.bytes().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_of_a_shell() {
        for (text, word) in [
            ("/usr/bin/chappe", "/usr/bin/chappe"),
            ("/a b/c", "'/a b/c'"),
            ("it's", r"'it'\''s'"),
            ("", "''"),
        ] {
            assert_eq!(shell(text), word);
        }
    }

    #[test]
    fn the_lines_name_another_port() {
        let sip = [("internal".to_owned(), "udp", SocketAddr::from(([127, 0, 0, 1], 5070)))];
        let banner = Banner {
            configuration: "the sample",
            sip: &sip,
            event_socket: None,
            password: Some("abc"),
            demo: true,
            program: Path::new("/usr/bin/chappe"),
        };
        let line =
            "/usr/bin/chappe send --password abc --server 127.0.0.1:5070 --to echo --wait 5 'Hello there'";
        assert!(banner.text().contains(line), "{}", banner.text());
        assert!(banner.text().ends_with("\nready\n"));
    }
}
