//! Where checks come from besides lists: sources that name targets, and templates that make checks of them.
//!
//! `discovery:` lists sources. What a source names is a target with labels, as in Prometheus; `select`
//! keeps some of them, and each that is kept becomes one check a template. A target that makes no check
//! is refused with its reason and stops nothing else. Nothing here asks a source anything.

mod access;
mod groups;
mod name;
mod place;
mod select;
mod template;

pub use access::{Access, Credentials};
pub use groups::targets;
pub use place::{Cluster, HttpPlace, KubeApi, Place, Role};
pub use select::Select;
pub use template::{NotACheck, Recipe};

use crate::node::Node;
use crate::reading::keys::Keys;
use crate::reading::{Placed, Reading, list, placed};
use crate::scalar::{count, parsed};
use crate::source::Span;
use rules::check::Assignment;
use rules::id::SourceId;
use std::collections::BTreeMap;
use template::Text;

/// What a source says of a target, by name: `__address__`, labels, and labels that begin with `__meta_`.
pub type Labels = BTreeMap<String, String>;

/// The label that holds a target's address, as in Prometheus.
pub const ADDRESS: &str = "__address__";
/// The label that holds what a probing job is to look at, as in Prometheus' scrape configurations.
pub const PARAM_TARGET: &str = "__param_target";
/// The label that holds which of blackbox_exporter's modules is to look.
pub const PARAM_MODULE: &str = "__param_module";
/// The label that holds the kind of the check that a target asks for itself.
pub const CHECK_KIND: &str = "__check_kind";
/// The label that holds what that check looks at.
pub const CHECK_TARGET: &str = "__check_target";
/// The label that holds what names that check among those of its source.
pub const CHECK_NAME: &str = "__check_name";
/// The label that holds the service of that check.
pub const CHECK_SERVICE: &str = "__check_service";
/// The label that holds the distance of that check's slots.
pub const CHECK_EVERY: &str = "__check_every";
/// The label that holds that check's timeout.
pub const CHECK_TIMEOUT: &str = "__check_timeout";

/// How many checks one source makes when it says nothing: a slip in a selector must not fill the agent.
const CHECKS_MAX_DEFAULT: usize = 1_000;
/// The most that a source may ask for: an agent has ten thousand checks in mind, and this is ten of them.
const CHECKS_MAX: usize = 100_000;

/// Something that names targets, and what becomes of them.
#[derive(Clone, PartialEq, Debug)]
pub struct Source {
    /// Its name, unique among the sources.
    pub id: SourceId,
    /// Where it is.
    pub place: Place,
    /// Which targets count.
    pub select: Select,
    /// How a target becomes checks.
    pub recipe: Recipe,
    /// How many checks it makes at most.
    pub checks_max: usize,
}

impl Source {
    /// What becomes of a target with `labels`: a check or a refusal for each template.
    pub fn checks(&self, labels: &Labels) -> Vec<Result<Assignment, NotACheck>> {
        self.recipe.checks(&self.id, labels)
    }
}

/// Reads the list of sources.
pub(super) fn read(node: &Node, reading: &mut Reading) -> Option<Vec<Source>> {
    let sources = list(source)(node, reading)?;
    let mut seen: BTreeMap<SourceId, Span> = BTreeMap::new();
    for Placed { at, value: source } in &sources {
        if let Some(first) = seen.insert(source.id.clone(), *at) {
            let (id, first) = (&source.id, reading.shown(first));
            reading.problem::<()>(*at, format!("source `{id}` is given twice, first at {first}; rename one"));
        }
    }
    Some(sources.into_iter().map(|source| source.value).collect())
}

fn source(node: &Node, reading: &mut Reading) -> Option<Placed<Source>> {
    let mut keys = Keys::of(node, "a source of targets", reading)?;
    let id = keys.required("source", reading, placed(parsed));
    let place = place::read(&mut keys, reading);
    let select = keys.or("select", Select::default(), reading, select::read);
    let service = keys.optional("service", reading, template::service);
    let checks_max = keys.or("at_most", CHECKS_MAX_DEFAULT, reading, checks_max);
    let templates = keys.take("checks");
    keys.end(reading);
    let place = place?;
    let recipe = recipe(&place, templates.map(|(_, node)| node), service, node.at, reading);
    let Placed { at, value: id } = id?;
    Some(Placed { at, value: Source { id, place, select, recipe: recipe?, checks_max } })
}

/// How the targets at `place` become checks: by templates, or as they ask for themselves.
fn recipe(
    place: &Place,
    templates: Option<&Node>,
    service: Option<Text>,
    at: Span,
    reading: &mut Reading,
) -> Option<Recipe> {
    match (templates, place) {
        (Some(node), _) => template::read(node, service.as_ref(), reading).map(Recipe::Templates),
        (None, Place::Kubernetes(_)) => Some(Recipe::Own { service }),
        (None, Place::Files(_) | Place::Http(_)) => {
            let message =
                "a source has no `checks`; add a template, such as `checks: [{ http: \"http://{address}/healthz\" }]`";
            reading.problem(at, message)
        }
    }
}

fn checks_max(node: &Node, reading: &mut Reading) -> Option<usize> {
    let given = usize::try_from(count(node, reading)?).ok()?;
    if CHECKS_MAX < given {
        return reading.problem(node.at, format!("a source makes at most {CHECKS_MAX} checks; write a smaller number"));
    }
    Some(given)
}
