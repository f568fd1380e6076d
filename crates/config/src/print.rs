//! Elements as FreeSWITCH writes them.

use std::fmt::Write;

use crate::Element;

/// What one level further in begins with; FreeSWITCH's XML_INDENT.
const INDENT: &str = "  ";

impl Element {
    /// A new element without attributes, children or a place.
    pub fn named(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    /// FreeSWITCH switch_xml.c switch_xml_toxml: an end tag for each element, one line a tag, characters beyond ASCII as
    /// references. The text beside child elements comes first, its blanks left aside.
    pub fn to_xml(&self) -> String {
        let mut xml = String::new();
        self.print(0, &mut xml);
        xml
    }

    fn print(&self, depth: usize, xml: &mut String) {
        xml.push_str(&INDENT.repeat(depth));
        // Writing to a String does not fail.
        let _ = write!(xml, "<{}", self.name);
        for (at, attribute) in self.attributes.iter().enumerate() {
            if self.attributes[..at].iter().all(|before| before.name != attribute.name) {
                let _ = write!(xml, " {}=\"", attribute.name);
                escape(&attribute.value, true, xml);
                xml.push('"');
            }
        }
        xml.push('>');
        if self.children.is_empty() {
            escape(&self.text, false, xml);
        } else {
            escape(self.text.trim(), false, xml);
            xml.push('\n');
            for child in &self.children {
                child.print(depth + 1, xml);
            }
            xml.push_str(&INDENT.repeat(depth));
        }
        let _ = writeln!(xml, "</{}>", self.name);
    }
}

/// FreeSWITCH switch_xml.c switch_xml_ampencode.
fn escape(text: &str, attribute: bool, xml: &mut String) {
    for character in text.chars() {
        match character {
            '&' => xml.push_str("&amp;"),
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            '"' if attribute => xml.push_str("&quot;"),
            '\n' if attribute => xml.push_str("&#xA;"),
            '\t' if attribute => xml.push_str("&#x9;"),
            '\r' => xml.push_str("&#xD;"),
            plain if plain.is_ascii() => xml.push(plain),
            other => {
                let _ = write!(xml, "&#x{:X};", u32::from(other));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::parse_fragment;

    fn check(text: &str, expected: &str) {
        let (document, _) = parse_fragment(text, "a.xml");
        let printed = document.root().to_xml();
        assert_eq!(printed, expected);
        let (again, diagnostics) = parse_fragment(&printed, "a.xml");
        assert!(diagnostics.is_empty(), "{diagnostics}");
        assert_eq!(again.root().to_xml(), expected, "printed again");
    }

    #[test]
    fn elements_are_written_as_freeswitch_does() {
        check("<a/>", "<a></a>\n");
        check("<a x='1' y=\"2\" x='3'>t</a>", "<a x=\"1\" y=\"2\">t</a>\n");
        check(
            "<a>\n  <b n='x'/><c>\n<d>1</d></c>\n</a>",
            "<a>\n  <b n=\"x\"></b>\n  <c>\n    <d>1</d>\n  </c>\n</a>\n",
        );
    }

    #[test]
    fn what_means_something_is_escaped() {
        check(
            "<a x='&lt;&quot;&amp;é&#10;'>\"&gt;ž</a>",
            "<a x=\"&lt;&quot;&amp;&#xE9;&#xA;\">\"&gt;&#x17E;</a>\n",
        );
    }
}
