//! Bars side by side, with what they stand for.

use std::fmt::Write as _;

use crate::spread::median;

const WIDTH: f64 = 1000.0;
/// Room for the labels.
const LEFT: f64 = 540.0;
const RIGHT: f64 = 110.0;
const TOP: f64 = 44.0;
/// From one bar to the next.
const STEP: f64 = 24.0;
const THICK: f64 = 15.0;
/// A bar longer than this many times the middle one is cut, so that the others can be told from each other.
const OUTLIER: f64 = 10.0;

/// One bar.
pub struct Bar {
    pub label: String,
    pub value: f64,
}

/// As the text of an SVG file.
pub fn bars(title: &str, unit: &str, bars: &[Bar]) -> String {
    let height = TOP + STEP * bars.len() as f64 + 16.0;
    let bound = OUTLIER * median(bars.iter().map(|bar| bar.value));
    let most = bars.iter().map(|bar| bar.value.min(bound)).fold(f64::MIN_POSITIVE, f64::max);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" font-family=\"sans-serif\" \
         font-size=\"12\" fill=\"#222\">\n<rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#fff\"/>\n\
         <text x=\"{}\" y=\"22\" text-anchor=\"middle\" font-size=\"16\">{}, {unit}</text>\n",
        WIDTH / 2.0,
        escaped(title),
    );
    for (place, bar) in bars.iter().enumerate() {
        let y = TOP + STEP * place as f64;
        let length = (WIDTH - LEFT - RIGHT) * (bar.value / most).min(1.0);
        let cut = if bar.value > most { " (cut)" } else { "" };
        let (text, label) = (y + THICK - 3.0, escaped(&bar.label));
        // Writing to a String does not fail.
        let _ = writeln!(
            out,
            "<text x=\"{:.0}\" y=\"{text:.0}\" text-anchor=\"end\">{label}</text>\
             <rect x=\"{LEFT:.0}\" y=\"{y:.0}\" width=\"{length:.1}\" height=\"{THICK:.0}\" fill=\"#0a5fb4\"/>\
             <text x=\"{:.1}\" y=\"{text:.0}\">{:.1}{cut}</text>",
            LEFT - 8.0,
            LEFT + length + 6.0,
            bar.value,
        );
    }
    out.push_str("</svg>\n");
    out
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('`', "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_bar_has_all_the_room_and_half_of_it_is_half() {
        let bar = |label: &str, value| Bar { label: label.to_owned(), value };
        let svg = bars("t", "µs", &[bar("a < b", 10.0), bar("`c`", 5.0)]);
        let room = WIDTH - LEFT - RIGHT;
        assert!(svg.contains(&format!("width=\"{room:.1}\"")), "{svg}");
        assert!(svg.contains(&format!("width=\"{:.1}\"", room / 2.0)), "{svg}");
        assert!(!svg.contains("(cut)"), "{svg}");
        assert!(svg.contains(">a &lt; b<") && svg.contains(">c<") && svg.contains(">10.0<"), "{svg}");
    }

    #[test]
    fn one_that_is_far_longer_is_cut() {
        let bar = |value| Bar { label: String::new(), value };
        let svg = bars("t", "µs", &[bar(10.0), bar(20.0), bar(15.0), bar(9000.0)]);
        assert_eq!(svg.matches("(cut)").count(), 1, "{svg}");
        assert!(svg.contains(">9000.0 (cut)<"), "{svg}");
    }
}
