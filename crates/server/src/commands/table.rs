//! The forms in which `show` prints rows: delimited, XML, JSON. FreeSWITCH mod_commands.c show_function.

use std::fmt::Write;

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
        let mut text = format!("<result row_count=\"{}\">\n", self.rows.len());
        for (at, row) in self.rows.iter().enumerate() {
            // Writing to a String does not fail.
            let _ = writeln!(text, "  <row row_id=\"{}\">", at + 1);
            for (column, value) in self.columns.iter().zip(row) {
                let _ = match value.as_str() {
                    "" => writeln!(text, "    <{column}/>"),
                    value => writeln!(text, "    <{column}>{}</{column}>", escape_xml(value)),
                };
            }
            text.push_str("  </row>\n");
        }
        text.push_str("</result>\n");
        text
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

fn escape_xml(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
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
            "<result row_count=\"2\">\n  <row row_id=\"1\">\n    <name>a&quot;&lt;</name>\n    <ikey/>\n  </row>\n  \
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
    }
}
