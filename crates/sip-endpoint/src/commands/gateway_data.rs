//! `sofia_gateway_data`: a variable of a gateway.

use std::sync::Arc;

use chappe_api::{Answer, Call, Command, Row};

use crate::config::GatewayVariable;
use crate::{Endpoint, gateway};

pub const ROW: Row = Row {
    name: "sofia_gateway_data",
    syntax: "<gateway_name> [ivar|ovar|var] <name>",
    doc: "Get data from a sofia gateway",
    module: "mod_sofia",
};

pub struct SofiaGatewayData(pub Arc<Endpoint>);

impl Command for SofiaGatewayData {
    fn row(&self) -> &Row {
        &ROW
    }

    /// FreeSWITCH mod_sofia.c sofia_gateway_data_function.
    fn run(&self, call: Call<'_>) -> Answer {
        let words: Vec<_> = call.args.split_whitespace().collect();
        let [name, which, variable] = words[..] else { return Answer::from("-ERR Parameter missing\n") };
        let Some(gateway) = gateway::find(&self.0.world().view(), name) else { return Answer::from("") };
        let fits: fn(&GatewayVariable) -> bool = match which {
            "ivar" => |variable| variable.inbound,
            "ovar" => |variable| variable.outbound,
            "var" => |_| true,
            _ => return Answer::from(""),
        };
        let mut all = gateway.config.variables.iter().filter(|known| fits(known));
        let found = all.find(|known| known.name.eq_ignore_ascii_case(variable));
        Answer::Ready(found.map_or_else(String::new, |found| found.value.clone()))
    }
}
