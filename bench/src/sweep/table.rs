//! The figures in words.

use std::fmt::Write as _;

use super::{LIMITED, Step, Sweep, Swept};

/// About a server that has a part of its core only.
const OF_A_PART: &str = "A relay's whole core does more than one core of load can send five times, with all that is sent again. So that \
    it is the server that is measured, its process is in a control group which lets it run for a quarter of each 10 ms; what comes while \
    it may not run waits for it, and the times above have these waits in them.";

/// About all of them.
const OF_ROUNDS: &str = "Medians of several rounds. What is delivered of the capacity is compared with what the server did in closed loop \
    in the same round, seconds to a minute before: machines that others share do not always do the same.";

/// One table a server.
pub fn markdown(sweep: &Sweep) -> String {
    let mut out = format!("{OF_ROUNDS}\n\n");
    for server in &sweep.servers {
        one(server, &mut out);
    }
    out
}

fn one(server: &Swept, out: &mut String) {
    // Writing to a String does not fail.
    let _ = writeln!(
        out,
        "{}: capacity {:.0} messages a second, {:.2} µs of CPU each in the long run, {} of memory before the first\n\n\
         | × capacity | offered/s | sent again/s | delivered/s | of the capacity | 503/s | p50 | p99 | CPU | memory |\n\
         |---|---|---|---|---|---|---|---|---|---|",
        server.name,
        server.capacity,
        server.cost,
        megabytes(server.memory),
    );
    for step in &server.steps {
        let _ = writeln!(
            out,
            "| {} | {:.0} | {:.0} | {:.0} | {:.0} % | {:.0} | {} | {} | {:.0} % | {} |",
            step.times,
            step.offered,
            step.again,
            step.goodput,
            step.part * 100.0,
            step.refused,
            millis(step.p50),
            millis(step.p99),
            step.cpu * 100.0,
            megabytes(step.memory),
        );
    }
    out.push('\n');
    if server.name == LIMITED {
        let _ = writeln!(out, "{OF_A_PART}\n");
    }
    for (fall, recovery) in &server.recoveries {
        let _ = writeln!(out, "{}, {}: {}\n", server.name, fall.words(), recovery.line());
    }
    for step in server.steps.iter().filter(|step| step.late > 0.001) {
        let part = step.late * 100.0;
        let _ = writeln!(
            out,
            "At {} times the capacity the generator sent {part:.1} % of the messages more than 10 ms late.\n",
            step.times
        );
    }
}

impl Step {
    /// For whoever watches.
    pub fn line(&self) -> String {
        format!(
            "{:.2} × capacity: {:.0}/s offered ({:.1} % late), {:.0}/s again, {:.0}/s delivered, {:.0}/s refused, p50 {}, \
             p99 {}, CPU {:.0} %, {}",
            self.times,
            self.offered,
            self.late * 100.0,
            self.again,
            self.goodput,
            self.refused,
            millis(self.p50),
            millis(self.p99),
            self.cpu * 100.0,
            megabytes(self.memory)
        )
    }
}

fn millis(value: f64) -> String {
    if value < 10.0 { format!("{value:.2} ms") } else { format!("{value:.0} ms") }
}

fn megabytes(octets: u64) -> String {
    format!("{} MB", octets >> 20)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_generator_could_not_do_is_told() {
        let step = |times, late| Step {
            times,
            part: 0.45,
            offered: 100.4,
            again: 0.0,
            goodput: 90.0,
            refused: 10.0,
            p50: 1.5,
            p99: 20.4,
            cpu: 0.5,
            memory: 30 << 20,
            late,
        };
        let steps = vec![step(0.5, 0.0), step(5.0, 0.125)];
        let swept =
            Swept { name: "x", capacity: 200.0, cost: 7.5, steps, recoveries: Vec::new(), memory: 20 << 20 };
        let sweep = Sweep { servers: vec![swept] };
        let text = sweep.markdown();
        assert!(
            text.contains("| 0.5 | 100 | 0 | 90 | 45 % | 10 | 1.50 ms | 20 ms | 50 % | 30 MB |"),
            "{text}"
        );
        assert_eq!(text.matches("late").count(), 1, "{text}");
        assert!(text.contains("At 5 times the capacity the generator sent 12.5 %"), "{text}");
        let plots = sweep.svgs();
        assert!(plots.iter().all(|(_, svg)| svg.matches("<polyline").count() == 2));
    }
}
