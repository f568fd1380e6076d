//! The forms in which `show` prints rows: delimited, XML, JSON. FreeSWITCH mod_commands.c show_function.

use std::fmt::Write;

use chappe_config::{Attribute, Element};

/// Columns and rows.
pub struct Table {
    pub columns: &'static [&'static str],
    pub rows: Vec<Vec<String>>,
}

impl Table {
    /// Columns in the first line, and how many rows there are in the last. Without rows there are no columns either.
    pub fn delimited(&self, delimiter: &str) -> String {
        let mut text = String::new();
        if !self.rows.is_empty() {
            text.push_str(&self.columns.join(delimiter));
            text.push('\n');
        }
        for row in &self.rows {
            text.push_str(&row.join(delimiter));
            text.push('\n');
        }
        text.push_str(&total(self.rows.len()));
        text
    }

    pub fn xml(&self) -> String {
        if self.rows.is_empty() {
            return "<result row_count=\"0\"/>\n".to_owned();
        }
        let mut result = counted(self.rows.len());
        for (at, cells) in self.rows.iter().enumerate() {
            let mut row = Element::named("row");
            row.attributes.push(attribute("row_id", at + 1));
            let cells = self.columns.iter().zip(cells);
            row.children = cells
                .map(|(column, text)| Element { text: text.clone(), ..Element::named(column) })
                .collect();
            result.children.push(row);
        }
        result.to_xml()
    }

    pub fn json(&self) -> String {
        if self.rows.is_empty() {
            return "{\"row_count\": 0}\n".to_owned();
        }
        let mut text = format!("{{\"row_count\":{},\"rows\":[", self.rows.len());
        for (at, row) in self.rows.iter().enumerate() {
            text.push_str(if at > 0 { ",{" } else { "{" });
            for (at, (column, value)) in self.columns.iter().zip(row).enumerate() {
                let comma = if at > 0 { "," } else { "" };
                let _ = write!(text, "{comma}\"{column}\":\"{}\"", escape_json(value));
            }
            text.push('}');
        }
        text.push_str("]}");
        text
    }
}

/// The line that says how many there are.
pub fn total(count: usize) -> String {
    format!("\n{count} total.\n")
}

/// How many there are, as XML.
pub fn total_xml(count: usize) -> String {
    counted(count).to_xml()
}

/// How many there are, as JSON.
pub fn total_json(count: usize) -> String {
    format!("{{\"row_count\":{count},\"rows\":[]}}")
}

fn counted(count: usize) -> Element {
    Element { attributes: vec![attribute("row_count", count)], ..Element::named("result") }
}

fn attribute(name: &str, value: usize) -> Attribute {
    Attribute { name: name.to_owned(), value: value.to_string() }
}

fn escape_json(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '"' => escaped.push_str("\\\""),
            '\\' => escaped.push_str("\\\\"),
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push_str("\\t"),
            control if control < ' ' => {
                let _ = write!(escaped, "\\u{:04x}", u32::from(control));
            }
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(rows: &[[&str; 2]]) -> Table {
        Table {
            columns: &["name", "ikey"],
            rows: rows.iter().map(|row| row.map(str::to_owned).to_vec()).collect(),
        }
    }

    #[test]
    fn rows_in_each_form() {
        let table = table(&[["a\"<", ""], ["b", "mod\n"]]);
        assert_eq!(table.delimited("|"), "name|ikey\na\"<|\nb|mod\n\n\n2 total.\n");
        assert_eq!(
            table.xml(),
            "<result row_count=\"2\">\n  <row row_id=\"1\">\n    <name>a\"&lt;</name>\n    <ikey></ikey>\n  </row>\n  \
             <row row_id=\"2\">\n    <name>b</name>\n    <ikey>mod\n</ikey>\n  </row>\n</result>\n"
        );
        assert_eq!(
            table.json(),
            r#"{"row_count":2,"rows":[{"name":"a\"<","ikey":""},{"name":"b","ikey":"mod\n"}]}"#
        );
    }

    #[test]
    fn no_rows() {
        assert_eq!(table(&[]).delimited(","), "\n0 total.\n");
        assert_eq!(table(&[]).xml(), "<result row_count=\"0\"/>\n");
        assert_eq!(table(&[]).json(), "{\"row_count\": 0}\n");
        assert_eq!(total_xml(0), "<result row_count=\"0\"></result>\n");
        assert_eq!(total_json(3), "{\"row_count\":3,\"rows\":[]}");
    }
}
