//! The XML reader: as lenient as FreeSWITCH's (switch_xml.c switch_xml_parse_str), and as strict.
//!
//! It goes on after an error where it can, so that one run shows them all.

mod decode;
mod entities;
mod report;
mod scan;
mod tag;

use self::entities::Entities;
use self::report::Reports;
use self::scan::Scan;
use crate::preprocess::SourceMap;
use crate::{Diagnostics, Document, Element, limits};

/// Reads a preprocessed text.
pub(crate) fn read(text: &str, map: &SourceMap, d: &mut Diagnostics) -> Document {
    let mut reader = Reader {
        scan: Scan::new(text),
        reports: Reports::new(map, d),
        entities: Entities::default(),
        open: Vec::new(),
        elements: 0,
        root: None,
    };
    reader.document();
    reader.finish()
}

struct Reader<'t> {
    scan: Scan<'t>,
    reports: Reports<'t>,
    entities: Entities,
    /// The elements that have no end tag yet, outermost first.
    open: Vec<Element>,
    /// Elements so far.
    elements: usize,
    root: Option<Element>,
}

/// Whether reading goes on.
type Flow = std::ops::ControlFlow<()>;
const ON: Flow = Flow::Continue(());
const END: Flow = Flow::Break(());

impl Reader<'_> {
    fn document(&mut self) {
        self.scan.skip_to(b'<');
        while self.scan.peek().is_some() {
            if self.markup().is_break() || self.reports.too_many() {
                return;
            }
            self.character_data();
        }
    }

    /// One piece of markup; the scan stands on its `<`, and behind its `>` afterwards.
    fn markup(&mut self) -> Flow {
        let start = self.scan.position();
        self.scan.advance(1);
        match self.scan.peek() {
            Some(b'/') => self.end_tag(start),
            Some(b'?') => self.through("<?", "?>", start),
            Some(b'!') if self.scan.looking_at("!--") => self.comment(start),
            Some(b'!') if self.scan.looking_at("![CDATA[") => self.cdata(start),
            Some(b'!') if self.scan.looking_at("!DOCTYPE") => self.doctype(start),
            Some(octet) if is_name_start(octet) => self.start_tag(start),
            _ => {
                self.reports.error(start, "unexpected <").instead("&lt;");
                ON
            }
        }
    }

    fn start_tag(&mut self, start: usize) -> Flow {
        if self.root.is_some() {
            self.reports
                .error(start, "markup after the end of the root element")
                .instead("one root element, such as <document>, around everything");
            return END;
        }
        if self.open.len() >= limits::ELEMENT_DEPTH {
            let text = format!("more than {} elements inside each other", limits::ELEMENT_DEPTH);
            self.reports.error(start, text);
            return END;
        }
        self.elements += 1;
        if self.elements > limits::ELEMENTS {
            self.reports.error(start, format!("more than {} elements", limits::ELEMENTS));
            return END;
        }
        let Some(tag) = tag::read(&mut self.scan, &self.entities, &mut self.reports, start) else {
            return END;
        };
        self.open.push(tag.element);
        if tag.is_empty {
            self.close();
        }
        ON
    }

    fn close(&mut self) {
        let Some(element) = self.open.pop() else { return };
        match self.open.last_mut() {
            Some(parent) => parent.children.push(element),
            None => self.root = Some(element),
        }
    }

    fn end_tag(&mut self, start: usize) -> Flow {
        self.scan.advance(1);
        let name = self.scan.take_until(b"\t\r\n >");
        self.scan.skip_blanks();
        let ended = self.scan.peek().is_some();
        self.scan.advance(1);
        if self.open.last().is_some_and(|open| open.name == name) {
            self.close();
        } else {
            self.wrong_end_tag(start, name);
        }
        if !ended {
            self.reports.error(start, format!("</{name} has no >"));
        }
        ON
    }

    /// The elements inside the one that ends here end with it; an end tag of nothing is passed over.
    fn wrong_end_tag(&mut self, start: usize, name: &str) {
        let Some(open) = self.open.last() else {
            self.reports.error(start, format!("unexpected closing tag </{name}>: nothing is open"));
            return;
        };
        let text = format!("unexpected closing tag </{name}>: <{}> of {} is open", open.name, open.at);
        let instead = format!("</{}>", open.name);
        self.reports.error(start, text).instead(instead);
        if let Some(place) = self.open.iter().rposition(|open| open.name == name) {
            while self.open.len() > place {
                self.close();
            }
        }
    }

    /// FreeSWITCH takes the first `--` for the end.
    fn comment(&mut self, start: usize) -> Flow {
        self.scan.advance(3);
        let Some(dashes) = self.scan.find("--") else {
            self.reports.error(start, "the comment has no end").instead("--> at its end");
            return END;
        };
        let at = self.scan.position() + dashes;
        self.scan.advance(dashes + 2);
        if self.scan.peek() == Some(b'>') {
            self.scan.advance(1);
            return ON;
        }
        self.reports.error(at, "`--` inside a comment").instead("`- -`, or --> where the comment ends");
        self.through("<!--", "-->", start)
    }

    fn through(&mut self, what: &str, end: &str, start: usize) -> Flow {
        match self.scan.find(end) {
            Some(offset) => {
                self.scan.advance(offset + end.len());
                ON
            }
            None => {
                self.reports.error(start, format!("{what} has no end")).instead(format!("{end} at its end"));
                END
            }
        }
    }

    fn cdata(&mut self, start: usize) -> Flow {
        self.scan.advance("![CDATA[".len());
        let from = self.scan.position();
        let flow = self.through("<![CDATA[", "]]>", start);
        if flow.is_continue()
            && let Some(open) = self.open.last_mut()
        {
            decode::line_ends(self.scan.slice(from, self.scan.position() - 3), &mut open.text);
        }
        flow
    }

    fn doctype(&mut self, start: usize) -> Flow {
        match self.entities.doctype(&mut self.scan) {
            Ok(()) => ON,
            Err(why) => {
                self.reports.error(start, why);
                END
            }
        }
    }

    /// The text up to the next markup. What follows the last markup is of no element.
    fn character_data(&mut self) {
        let from = self.scan.position();
        self.scan.skip_to(b'<');
        if self.scan.peek().is_none() {
            return;
        }
        let raw = self.scan.slice(from, self.scan.position());
        if let Some(open) = self.open.last_mut() {
            decode::text(raw, &self.entities, &mut open.text, &mut |flaw| {
                self.reports.flaw(from, "text", flaw)
            });
        }
    }

    fn finish(mut self) -> Document {
        if self.root.is_none() && self.open.is_empty() && !self.reports.any_error() {
            self.reports
                .error(0, "there is no root element")
                .instead("<document type=\"freeswitch/xml\">...</document>");
        }
        while let Some(open) = self.open.last() {
            // After another error the end may have been there all the same.
            if !self.reports.gave_up() {
                let text = format!("<{}> has no end tag", open.name);
                let instead = format!("</{}> at its end", open.name);
                self.reports.error_at(open.at.clone(), text).instead(instead);
            }
            self.close();
        }
        Document::new(self.root.unwrap_or_default())
    }
}

/// FreeSWITCH takes letters, `_`, `:` and whatever is not ASCII.
fn is_name_start(octet: u8) -> bool {
    octet.is_ascii_alphabetic() || octet == b'_' || octet == b':' || octet >= 0x80
}
