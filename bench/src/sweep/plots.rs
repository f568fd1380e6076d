//! The figures as plots.

use super::{Step, Sweep};
use crate::plot::curves::{Curve, Plot, Scale};

impl Sweep {
    /// The plots: names of files and what they hold.
    pub fn svgs(&self) -> Vec<(&'static str, String)> {
        vec![("overload-goodput.svg", self.goodput()), ("overload-latency.svg", self.latency())]
    }

    fn goodput(&self) -> String {
        let per_capacity = |value: fn(&Step) -> f64, capacity: f64| {
            move |step: &Step| (step.offered / capacity, value(step) / capacity * 100.0)
        };
        let curves = self.servers.iter().enumerate().flat_map(|(place, server)| {
            let points = |value| server.steps.iter().map(per_capacity(value, server.capacity)).collect();
            let curve = |what: &str, is_dashed, points| Curve {
                name: format!("{}, {what}", server.name),
                color: COLORS[place % COLORS.len()],
                is_dashed,
                points,
            };
            [
                curve("delivered", false, points(|step| step.goodput)),
                curve("answered 503", true, points(|step| step.refused)),
            ]
        });
        Plot {
            title: "Delivered and refused, by what is offered".to_owned(),
            x: OFFERED.to_owned(),
            y: "% of the server's capacity".to_owned(),
            scale: Scale::Linear,
            limit: None,
            curves: curves.collect(),
        }
        .svg()
    }

    fn latency(&self) -> String {
        let curves = self.servers.iter().enumerate().flat_map(|(place, server)| {
            let points = |value: fn(&Step) -> f64| {
                server
                    .steps
                    .iter()
                    .map(|step| (step.offered / server.capacity, value(step)))
                    .collect::<Vec<_>>()
            };
            let curve = |what: &str, is_dashed, points| Curve {
                name: format!("{}, {what}", server.name),
                color: COLORS[place % COLORS.len()],
                is_dashed,
                points,
            };
            // From a tenth of a millisecond on.
            [
                curve("p50", true, points(|step| step.p50 * 1000.0)),
                curve("p99", false, points(|step| step.p99 * 1000.0)),
            ]
        });
        Plot {
            title: "From sending to 2xx, of messages that are accepted".to_owned(),
            x: OFFERED.to_owned(),
            y: "µs".to_owned(),
            scale: Scale::Logarithmic,
            limit: Some((100_000.0, "100 ms".to_owned())),
            curves: curves.collect(),
        }
        .svg()
    }
}

const OFFERED: &str = "offered, as a multiple of the server's capacity";
const COLORS: [&str; 3] = ["#0a5fb4", "#1b8a5a", "#d9730d"];
