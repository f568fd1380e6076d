//! Entities: XML's five, and those that a document declares (FreeSWITCH switch_xml_internal_dtd).

use super::scan::Scan;
use crate::limits;

const PREDEFINED: [(&str, char); 5] =
    [("lt;", '<'), ("gt;", '>'), ("quot;", '"'), ("apos;", '\''), ("amp;", '&')];

/// Internal general entities. Deviation: parameter entities and ATTLIST defaults are passed over.
#[derive(Clone, Debug, Default)]
pub(super) struct Entities {
    /// Name with its semicolon, text.
    declared: Vec<(String, String)>,
}

impl Entities {
    /// The entity that a reference, which starts behind its `&`, begins with: its length and the character or text it
    /// stands for.
    pub fn find(&self, reference: &str) -> Option<(usize, Result<char, &str>)> {
        if let Some((name, character)) = PREDEFINED.iter().find(|(name, _)| reference.starts_with(name)) {
            return Some((name.len(), Ok(*character)));
        }
        let (name, text) = self.declared.iter().find(|(name, _)| reference.starts_with(name.as_str()))?;
        Some((name.len(), Err(text)))
    }

    /// Reads `<!DOCTYPE ...>`; the scan stands on its `!`.
    pub fn doctype(&mut self, scan: &mut Scan<'_>) -> Result<(), &'static str> {
        const UNCLOSED: &str = "<!DOCTYPE has no end";
        scan.take_until(b"[>");
        if scan.peek() == Some(b'[') {
            scan.advance(1);
            while scan.peek() != Some(b']') {
                scan.peek().ok_or(UNCLOSED)?;
                self.declaration(scan).ok_or(UNCLOSED)?;
            }
            scan.skip_to(b'>');
        }
        scan.peek().ok_or(UNCLOSED)?;
        scan.advance(1);
        Ok(())
    }

    /// One declaration, or what stands between two.
    fn declaration(&mut self, scan: &mut Scan<'_>) -> Option<()> {
        if scan.looking_at("<!--") {
            scan.advance(scan.find("-->")? + 3);
        } else if scan.looking_at("<!ENTITY") {
            scan.advance("<!ENTITY".len());
            self.entity(scan)?;
        } else if scan.peek() == Some(b'<') {
            scan.skip_to(b'>');
            scan.peek()?;
            scan.advance(1);
        } else {
            scan.take_until(b"<]");
        }
        Some(())
    }

    fn entity(&mut self, scan: &mut Scan<'_>) -> Option<()> {
        scan.skip_blanks();
        let name = scan.take_until(b"\t\r\n >");
        scan.skip_blanks();
        if let Some(quote @ (b'"' | b'\'')) = scan.peek() {
            scan.advance(1);
            let text = scan.take_until(&[quote]);
            scan.peek()?;
            scan.advance(1);
            if !name.is_empty() && name != "%" && self.declared.len() < limits::ENTITIES {
                self.declared.push((format!("{name};"), text.to_owned()));
            }
        }
        scan.skip_to(b'>');
        scan.peek()?;
        scan.advance(1);
        Some(())
    }
}
