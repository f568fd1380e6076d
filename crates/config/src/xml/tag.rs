//! Start tags and their attributes.

use super::decode;
use super::entities::Entities;
use super::report::Reports;
use super::scan::Scan;
use crate::{Attribute, Element, limits};

pub(super) struct Tag {
    pub element: Element,
    /// `<a/>`
    pub is_empty: bool,
}

/// Reads a start tag; the scan stands on the name. Nothing when the tag has no end.
pub(super) fn read(
    scan: &mut Scan<'_>,
    entities: &Entities,
    reports: &mut Reports<'_>,
    start: usize,
) -> Option<Tag> {
    let name = scan.take_until(b"\t\r\n />").to_owned();
    scan.skip_blanks();
    let mut element = Element { name, at: reports.locate(start), ..Element::default() };
    while !matches!(scan.peek(), None | Some(b'/' | b'>')) {
        let attribute = attribute(scan, entities, reports, &element.name, start)?;
        add(&mut element, attribute, reports, start);
        scan.skip_blanks();
    }
    let is_empty = scan.peek() == Some(b'/');
    if is_empty {
        scan.advance(1);
    }
    if scan.peek() != Some(b'>') {
        let error = reports.error(start, format!("<{}> is missing its >", element.name));
        if is_empty {
            error.instead("values that contain / in quotes");
        }
        scan.skip_to(b'>');
        scan.peek()?;
        scan.advance(1);
        return Some(Tag { element, is_empty: false });
    }
    scan.advance(1);
    Some(Tag { element, is_empty })
}

/// One attribute. FreeSWITCH reads a value only in quotes: a bare one becomes an attribute of its own without a value.
fn attribute(
    scan: &mut Scan<'_>,
    entities: &Entities,
    reports: &mut Reports<'_>,
    element: &str,
    start: usize,
) -> Option<Attribute> {
    let at = scan.position();
    let name = scan.take_until(b"\t\r\n =/>");
    let mut attribute = Attribute { name: name.to_owned(), value: String::new() };
    if matches!(scan.peek(), Some(b'=' | b' ' | b'\t' | b'\r' | b'\n')) {
        scan.skip_any(b"\t\r\n =");
        if let Some(quote @ (b'"' | b'\'')) = scan.peek() {
            scan.advance(1);
            let from = scan.position();
            let raw = scan.take_until(&[quote]);
            if scan.peek().is_none() {
                let text = format!("the value of {name} in <{element}> has no end");
                reports.error(start, text).instead(format!("{} at its end", quote as char));
                return None;
            }
            scan.advance(1);
            attribute.value = decode::attribute(raw, entities, &mut |flaw| reports.flaw(from, name, flaw));
            return Some(attribute);
        }
    }
    if !name.is_empty() {
        reports
            .warning(
                at,
                format!("attribute {name} of <{element}> has no value in quotes, and counts as empty"),
            )
            .instead(format!("{name}=\"...\""));
    }
    Some(attribute)
}

fn add(element: &mut Element, attribute: Attribute, reports: &mut Reports<'_>, start: usize) {
    if element.attributes.len() == limits::ATTRIBUTES {
        reports.error(start, format!("<{}> has more than {} attributes", element.name, limits::ATTRIBUTES));
    }
    if element.attributes.len() >= limits::ATTRIBUTES {
        element.attributes.truncate(limits::ATTRIBUTES + 1);
        return;
    }
    if element.attr(&attribute.name).is_some() {
        let text =
            format!("attribute {} of <{}> is there twice: the first counts", attribute.name, element.name);
        reports.warning(start, text);
    }
    element.attributes.push(attribute);
}
