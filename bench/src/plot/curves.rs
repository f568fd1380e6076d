//! Curves over a common axis, with a legend.

use std::fmt::Write as _;

const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 420.0;
/// Room for the labels.
const LEFT: f64 = 84.0;
const RIGHT: f64 = 24.0;
const TOP: f64 = 64.0;
const BOTTOM: f64 = 56.0;

/// One line of a plot.
pub struct Curve {
    pub name: String,
    pub color: &'static str,
    pub is_dashed: bool,
    /// From left to right.
    pub points: Vec<(f64, f64)>,
}

/// How values are laid out on the upright axis.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// From zero.
    Linear,
    /// By powers of ten; values below one are drawn as one.
    Logarithmic,
}

/// A plot of several curves.
pub struct Plot {
    pub title: String,
    pub x: String,
    pub y: String,
    pub scale: Scale,
    /// A line across, and what it means.
    pub limit: Option<(f64, String)>,
    pub curves: Vec<Curve>,
}

impl Plot {
    /// As the text of an SVG file.
    pub fn svg(&self) -> String {
        let frame = Frame::of(self);
        let mut out = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
             font-size=\"13\" fill=\"#222\">\n<rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#fff\"/>\n"
        );
        text(&mut out, WIDTH / 2.0, 22.0, "middle\" font-size=\"16", &self.title);
        frame.grid(&mut out);
        text(&mut out, (LEFT + WIDTH - RIGHT) / 2.0, HEIGHT - 14.0, "middle", &self.x);
        let middle = (TOP + HEIGHT - BOTTOM) / 2.0;
        let turned = format!("middle\" transform=\"rotate(-90 18 {middle:.0})");
        text(&mut out, 18.0, middle, &turned, &self.y);
        if let Some((value, meaning)) = &self.limit {
            let y = frame.y(*value);
            line(&mut out, [LEFT, y, WIDTH - RIGHT, y], "#c33\" stroke-dasharray=\"2 4");
            text(&mut out, WIDTH - RIGHT - 4.0, y - 5.0, "end\" fill=\"#c33", meaning);
        }
        for (place, curve) in self.curves.iter().enumerate() {
            frame.curve(&mut out, curve);
            legend(&mut out, place, self.curves.len(), curve);
        }
        out.push_str("</svg>\n");
        out
    }
}

/// Where values lie.
struct Frame {
    scale: Scale,
    right: f64,
    top: f64,
}

impl Frame {
    fn of(plot: &Plot) -> Self {
        let points = || plot.curves.iter().flat_map(|curve| &curve.points);
        let right = points().map(|(x, _)| *x).fold(1.0, f64::max);
        let limit = plot.limit.as_ref().map_or(1.0, |(value, _)| *value);
        let most = points().map(|(_, y)| *y).fold(limit, f64::max);
        let top = match plot.scale {
            Scale::Linear => step(most) * (most / step(most)).ceil(),
            Scale::Logarithmic => 10f64.powf(most.log10().ceil().max(1.0)),
        };
        Self { scale: plot.scale, right, top }
    }

    fn x(&self, value: f64) -> f64 {
        LEFT + value / self.right * (WIDTH - LEFT - RIGHT)
    }

    fn y(&self, value: f64) -> f64 {
        let part = match self.scale {
            Scale::Linear => value / self.top,
            Scale::Logarithmic => value.max(1.0).log10() / self.top.log10(),
        };
        HEIGHT - BOTTOM - part * (HEIGHT - TOP - BOTTOM)
    }

    fn grid(&self, out: &mut String) {
        let mut value = match self.scale {
            Scale::Linear => 0.0,
            Scale::Logarithmic => 1.0,
        };
        while value <= self.top * 1.001 {
            let y = self.y(value);
            line(out, [LEFT, y, WIDTH - RIGHT, y], "#ddd");
            text(out, LEFT - 8.0, y + 4.0, "end", &number(value));
            value = match self.scale {
                Scale::Linear => value + step(self.top),
                Scale::Logarithmic => value * 10.0,
            };
        }
        let mut value = 0.0;
        while value <= self.right * 1.001 {
            let x = self.x(value);
            line(out, [x, TOP, x, HEIGHT - BOTTOM], "#eee");
            text(out, x, HEIGHT - BOTTOM + 18.0, "middle", &number(value));
            value += step(self.right);
        }
    }

    fn curve(&self, out: &mut String, curve: &Curve) {
        let at = |(x, y): &(f64, f64)| (self.x(*x), self.y(*y));
        let points: Vec<_> = curve.points.iter().map(at).collect();
        let path: String = points.iter().map(|(x, y)| format!("{x:.1},{y:.1} ")).collect();
        let dashes = if curve.is_dashed { " stroke-dasharray=\"6 4\"" } else { "" };
        let color = curve.color;
        // Writing to a String does not fail.
        let _ = writeln!(
            out,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"2\"{dashes}/>",
            path.trim_end()
        );
        for (x, y) in points {
            let _ = writeln!(out, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"{color}\"/>");
        }
    }
}

/// Above the frame, side by side.
/// Two of them stand one above the other.
fn legend(out: &mut String, place: usize, of: usize, curve: &Curve) {
    let x = LEFT + (WIDTH - LEFT - RIGHT) / of.div_ceil(2) as f64 * (place / 2) as f64;
    let y = [38.0, 54.0][place % 2];
    let dashes = if curve.is_dashed { "\" stroke-dasharray=\"6 4" } else { "" };
    line(out, [x, y, x + 24.0, y], &format!("{}\" stroke-width=\"2{dashes}", curve.color));
    text(out, x + 30.0, y + 4.0, "start", &curve.name);
}

fn line(out: &mut String, [x1, y1, x2, y2]: [f64; 4], stroke: &str) {
    let _ = writeln!(
        out,
        "<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" stroke=\"{stroke}\"/>"
    );
}

fn text(out: &mut String, x: f64, y: f64, anchor: &str, text: &str) {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    let _ = writeln!(out, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{text}</text>");
}

/// A round distance that divides `most` into five parts or a few more.
fn step(most: f64) -> f64 {
    let power = 10f64.powf((most / 5.0).log10().floor());
    let parts = [5.0, 2.0].into_iter().find(|part| power * part <= most / 4.0);
    power * parts.unwrap_or(1.0)
}

/// With thin spaces between the thousands.
fn number(value: f64) -> String {
    if value.fract() > 0.001 {
        return format!("{value:.1}");
    }
    let digits = format!("{value:.0}");
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push('\u{2009}');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plot(scale: Scale, points: Vec<(f64, f64)>) -> String {
        let curve = Curve { name: "a < b".to_owned(), color: "#06c", is_dashed: false, points };
        let axis = |name: &str| name.to_owned();
        Plot { title: axis("t"), x: axis("x"), y: axis("y"), scale, limit: None, curves: vec![curve] }.svg()
    }

    #[test]
    fn points_lie_where_the_axes_say() {
        let svg = plot(Scale::Linear, vec![(0.0, 0.0), (5.0, 40_000.0)]);
        let (bottom, right) = (HEIGHT - BOTTOM, WIDTH - RIGHT);
        assert!(svg.contains(&format!("points=\"{LEFT:.1},{bottom:.1} {right:.1},{TOP:.1}\"")), "{svg}");
        assert!(svg.contains(">40\u{2009}000<") && svg.contains(">a &lt; b<"), "{svg}");
        let svg = plot(Scale::Logarithmic, vec![(1.0, 0.0), (1.0, 10.0), (1.0, 100.0)]);
        let middle = (bottom + TOP) / 2.0;
        assert!(
            svg.contains(&format!("{right:.1},{bottom:.1} {right:.1},{middle:.1} {right:.1},{TOP:.1}")),
            "{svg}"
        );
    }

    #[test]
    fn steps_are_round() {
        for (most, expected) in
            [(5.0, 1.0), (36_000.0, 5000.0), (40_000.0, 5000.0), (100.0, 20.0), (9.0, 2.0)]
        {
            assert_eq!(step(most), expected, "{most}");
        }
    }
}
