//! The configurations of modules that a web server answers instead of the files.

use std::sync::Arc;

use chappe_config::{Diagnostics, Document, Element, Section, Sections, XmlBinding, XmlQuery};
use chappe_xml_curl::{GatewayBinding, GatewaySettings, XmlCurlSettings};
use tokio::runtime::{Builder, Handle};
use tokio::task::JoinSet;

/// Puts what the web servers of `settings` answer for the configurations `names` in place of the files'. Blocks until
/// all have answered or were given up; where none answers the files count.
///
/// FreeSWITCH asks when a module opens its configuration, so at its start and at a reload; so is it here.
pub fn answer(
    document: &mut Document,
    settings: &XmlCurlSettings,
    hostname: &str,
    names: &[&'static str],
    d: &mut Diagnostics,
) {
    let is_asked = |settings: &&GatewaySettings| settings.sections.contains(Section::Configuration);
    let gateways: Vec<_> = settings.bindings.iter().filter(is_asked).map(for_configurations).collect();
    if gateways.is_empty() {
        return;
    }
    // A thread of its own: whoever reads a configuration may be in a runtime already, or in none.
    let asking = std::thread::scope(|scope| scope.spawn(|| ask(&gateways, hostname, names)).join());
    match asking {
        Ok(Ok(answers)) => answers.into_iter().for_each(|element| document.set_configuration(element)),
        Ok(Err(error)) => {
            d.warning(None, format!("xml_curl.conf: nobody is asked for configurations: {error}"));
        }
        Err(_) => {
            d.warning(None, "xml_curl.conf: asking for configurations has failed; the files count");
        }
    }
}

/// The same server, for this section alone.
fn for_configurations(settings: &GatewaySettings) -> GatewaySettings {
    GatewaySettings { sections: Sections::from_iter([Section::Configuration]), ..settings.clone() }
}

#[derive(Debug, thiserror::Error)]
enum AskError {
    #[error("no runtime: {0}")]
    Runtime(#[from] std::io::Error),
    #[error(transparent)]
    Binding(#[from] chappe_xml_curl::XmlCurlError),
}

/// The answers in the order of `names`; all are asked for at the same time.
fn ask(
    gateways: &[GatewaySettings],
    hostname: &str,
    names: &[&'static str],
) -> Result<Vec<Element>, AskError> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let bindings = gateways
        .iter()
        .map(|settings| GatewayBinding::new(settings.clone(), hostname, runtime.handle().clone()))
        .collect::<Result<Vec<_>, _>>()?;
    let bindings: Arc<[_]> = bindings.into();
    runtime.block_on(async {
        let mut asking = JoinSet::new();
        for (at, name) in names.iter().enumerate() {
            let one = first(bindings.clone(), name);
            asking.spawn_on(async move { (at, one.await) }, &Handle::current());
        }
        let mut answers = asking.join_all().await;
        answers.sort_by_key(|(at, _)| *at);
        Ok(answers.into_iter().filter_map(|(_, element)| element).collect())
    })
}

/// FreeSWITCH switch_xml.c switch_xml_open_cfg: an answer without the configuration leaves it to the files.
async fn first(bindings: Arc<[Arc<GatewayBinding>]>, name: &'static str) -> Option<Element> {
    let query = Arc::new(XmlQuery {
        section: Section::Configuration,
        tag_name: "configuration".to_owned(),
        key_name: "name".to_owned(),
        key_value: name.to_owned(),
        params: Vec::new(),
    });
    for binding in bindings.iter() {
        if let Some(document) = binding.fetch(query.clone()).await {
            return document.configuration(name).cloned();
        }
    }
    None
}
