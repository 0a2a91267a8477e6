//! From a path to a spec: reads the file and its profiles, and collects what is wrong with any of
//! them.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::device::{self, DEVICE, Lines};
use super::given::{Given, Unit};
use super::map::{self, Maps};
use super::model::{Input, Spec, Uut};
use super::slots::{Unnamed, name_devices, seats};
use super::station::{Position, Station};
use super::step::{SHARED_ID, STEP};
use super::tables::{Cells, TABLE};
use super::test::{self, Names, TEST};
use super::uut::{self, UUT};
use crate::language::decode::Context;
use crate::language::diagnostic::{Diagnostic, Diagnostics};
use crate::language::shape::{Field, Object, Shape};
use crate::language::source::{Source, SourceId, Sources, Spanned};
use crate::language::variables::Variables;
use crate::language::yaml::{self, Tree};
use crate::record::Digest;

/// A spec.
pub static SPEC: Object = Object {
    name: "spec",
    doc: "A test procedure: which devices there are, and what is checked.",
    fields: &[&[
        Field::required("spec", Shape::Text, "Its stable id."),
        Field::optional("version", Shape::Text, "Its version."),
        Field::optional("title", Shape::Text, "What it is, for people."),
        Field::optional(
            "vars",
            Shape::Map(&Shape::Scalar),
            "Variables and their defaults; `--var` gives them other values of the same type.",
        ),
        Field::optional(
            "uut",
            Shape::Object(&UUT),
            "The unit under test: what the record must identify.",
        ),
        Field::optional(
            "tables",
            Shape::Map(&Shape::Object(&TABLE)),
            "Rows of CSV files by name: limits by part number or serial number.",
        ),
        Field::optional(
            "links",
            Shape::Map(&Shape::Text),
            "Lines by name: `tcp://host:port?in_flight=4`, `rtu:///dev/ttyUSB0?baud=9600`.",
        ),
        Field::required("devices", Shape::Map(&Shape::Object(&DEVICE)), "Devices by name."),
        Field::optional(
            "setup",
            Shape::List(&Shape::Object(&STEP)),
            "Steps before the tests. If one does not pass, no test runs.",
        ),
        Field::required("tests", Shape::List(&Shape::Object(&TEST)), "The tests."),
        Field::optional(
            "timeout",
            Shape::Duration,
            "The longest that everything but teardown may take.",
        ),
        Field::optional(
            "teardown",
            Shape::List(&Shape::Object(&STEP)),
            "Steps after the tests, whatever happened.",
        ),
    ]],
};

/// A simulator file.
pub static SIMULATOR: Object = Object {
    name: "simulator file",
    doc: "Devices to be served by `passline simulate`, without a test.",
    fields: &[&[
        Field::required("simulator", Shape::Text, "Its stable id."),
        Field::optional("version", Shape::Text, "Its version."),
        Field::optional("title", Shape::Text, "What it is, for people."),
        Field::optional(
            "vars",
            Shape::Map(&Shape::Scalar),
            "Variables and their defaults; `--var` gives them other values of the same type.",
        ),
        Field::optional(
            "links",
            Shape::Map(&Shape::Text),
            "Lines by name: `tcp://host:port`, `rtu:///dev/ttyUSB0?baud=9600`.",
        ),
        Field::required("devices", Shape::Map(&Shape::Object(&DEVICE)), "Devices by name."),
    ]],
};

/// What was loaded, and where diagnostics point.
#[derive(Debug, Default)]
pub struct Loaded {
    /// The specs, in the order of the paths; only if there is no error.
    pub specs: Vec<Spec>,
    /// How many profiles were checked by themselves.
    pub profiles: usize,
    /// How many of the specs are simulator files, which have no tests.
    pub simulators: usize,
    /// Every file that was read.
    pub sources: Sources,
    /// The bench, where there is a station file.
    pub station: Option<Arc<Station>>,
    /// What is wrong.
    pub diagnostics: Diagnostics,
}

/// Loads specs from files and folders.
pub fn load<'p>(paths: impl IntoIterator<Item = &'p Path>, given: &Given) -> Loaded {
    files_of(paths, (given, Unnamed::Only), |loader, file| {
        if let Some(id) = loader.id_of(file, "simulator") {
            let message = "this is a simulator file: it has no tests to run";
            let remedy =
                "serve it with `passline simulate`; a spec begins with `spec:` and has `tests:`";
            loader.diagnostics.push(Diagnostic::error(id.span, message).remedy(remedy));
            return None;
        }
        if let Some(id) = loader.id_of(file, SHARED_ID) {
            let message = "these are shared steps: there is no test here";
            let remedy = "name a spec whose tests `include` this file";
            loader.diagnostics.push(Diagnostic::error(id.span, message).remedy(remedy));
            return None;
        }
        loader.spec(file, "spec", given)
    })
}

/// Loads specs as [`load`] does, simulator files as specs without tests, and checks files that are
/// profiles by themselves.
pub fn check<'p>(paths: impl IntoIterator<Item = &'p Path>, given: &Given) -> Loaded {
    let (mut profiles, mut simulators) = (BTreeSet::new(), 0);
    let mut loaded = files_of(paths, (given, Unnamed::All), |loader, file| {
        if loader.own_profile(file) {
            profiles.insert(file.to_owned());
            return None;
        }
        // What is in it depends on who includes it.
        if loader.id_of(file, SHARED_ID).is_some() {
            return None;
        }
        simulators += usize::from(loader.id_of(file, "simulator").is_some());
        loader.served(file, given)
    });
    (loaded.profiles, loaded.simulators) = (profiles.len(), simulators);
    loaded
}

/// Loads specs as [`load`] does, simulator files as specs without tests, and profiles by themselves
/// as such a file of one device of their name: unit 1, and zero in all of its points.
pub fn simulated<'p>(paths: impl IntoIterator<Item = &'p Path>, given: &Given) -> Loaded {
    files_of(paths, (given, Unnamed::All), |loader, file| loader.simulated(file, given))
}

/// As [`simulated`], of a text, as if it were a file in the current folder.
pub fn simulated_text(text: &str) -> Loaded {
    let mut loaded = Loaded::default();
    let mut lines = Lines::new();
    let name = Path::new("simulator.yaml");
    loaded.sources.add(name, text);
    let mut loader = Loader::new(&mut loaded.sources, &loaded.diagnostics, &mut lines);
    let spec = loader.simulated(name, &Given::new());
    if !loaded.diagnostics.has_errors() {
        loaded.specs.extend(spec);
    }
    loaded
}

/// Checks a text as the profile that it should be, as if it were the file of that name.
pub fn check_text(name: &Path, text: &str) -> Loaded {
    let mut loaded = Loaded::default();
    loaded.sources.add(name, text);
    let mut lines = Lines::new();
    let mut loader = Loader::new(&mut loaded.sources, &loaded.diagnostics, &mut lines);
    loaded.profiles = usize::from(loader.own_profile(name));
    loaded
}

fn files_of<'p>(
    paths: impl IntoIterator<Item = &'p Path>,
    (given, unnamed): (&Given, Unnamed),
    mut spec: impl FnMut(&mut Loader<'_>, &Path) -> Option<Spec>,
) -> Loaded {
    let mut loaded = Loaded::default();
    let mut lines = Lines::new();
    let station = given.station.as_ref().and_then(|path| {
        Loader::new(&mut loaded.sources, &loaded.diagnostics, &mut lines).station(path)
    });
    // What is wrong with the station is told; which slot is meant, it cannot say.
    let broken = station.is_none() && given.station.is_some();
    let seats = if broken {
        vec![(None, &given.unit)]
    } else {
        seats(station.as_deref(), given, unnamed, &loaded.diagnostics)
    };
    for path in paths {
        match files(path) {
            Ok(files) => {
                for (file, (slot, unit)) in
                    files.iter().flat_map(|file| seats.iter().map(move |seat| (file, *seat)))
                {
                    let (sources, diagnostics) = (&mut loaded.sources, &loaded.diagnostics);
                    let mut loader = Loader::new(sources, diagnostics, &mut lines);
                    loader.position = station.as_ref().map(|station| Position { station, slot });
                    loader.unit = Some(unit);
                    loaded.specs.extend(spec(&mut loader, file));
                }
            }
            Err(problem) => {
                let error = Diagnostic::error(None, problem);
                let remedy = "name a .yaml file, or a folder with some in it";
                loaded.diagnostics.push(error.remedy(remedy));
            }
        }
    }
    if !loaded.diagnostics.has_errors() {
        name_devices(&seats, &loaded.specs, &loaded.diagnostics);
    }
    if loaded.diagnostics.has_errors() {
        loaded.specs.clear();
    }
    loaded.station = station;
    loaded
}

/// The path, or the specs of the folder that it is, in alphabetical order.
///
/// # Errors
/// Why the folder has none, in words.
pub fn files(path: &Path) -> Result<Vec<PathBuf>, String> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let problem = |why: &dyn std::fmt::Display| format!("{}: {why}", path.display());
    let entries = std::fs::read_dir(path).map_err(|error| problem(&error))?;
    let mut files = Vec::new();
    for entry in entries {
        let file = entry.map_err(|error| problem(&error))?.path();
        let spec = file.extension().is_some_and(|end| end == "yaml" || end == "yml");
        if spec && file.is_file() {
            files.push(file);
        }
    }
    files.sort();
    if files.is_empty() { Err(problem(&"this folder has no specs")) } else { Ok(files) }
}

/// The load of one spec.
pub(super) struct Loader<'l> {
    pub(super) sources: &'l mut Sources,
    pub(super) diagnostics: &'l Diagnostics,
    trees: HashMap<SourceId, Option<Arc<Tree>>>,
    /// The files read, in the order of first use.
    used: Vec<SourceId>,
    pub(super) maps: Maps,
    pub(super) lines: &'l mut Lines,
    /// Where on the bench.
    pub(super) position: Option<Position<'l>>,
    /// What is tested there.
    unit: Option<&'l Unit>,
}

impl<'l> Loader<'l> {
    fn new(sources: &'l mut Sources, diagnostics: &'l Diagnostics, lines: &'l mut Lines) -> Self {
        let (trees, used, maps) = (HashMap::new(), Vec::new(), Maps::new());
        Self { sources, diagnostics, trees, used, maps, lines, position: None, unit: None }
    }

    /// What is served of a file.
    fn simulated(&mut self, path: &Path, given: &Given) -> Option<Spec> {
        match self.id_of(path, "profile") {
            Some(name) => self.device_of(path, &name.value),
            None => self.served(path, given),
        }
    }

    /// The spec of a file, or the simulator file that it is.
    fn served(&mut self, path: &Path, given: &Given) -> Option<Spec> {
        let kind = self.id_of(path, "simulator").map_or("spec", |_| "simulator");
        self.spec(path, kind, given)
    }

    /// The spec of a file, or the simulator file that it is: `kind` is the key of its id. `None`:
    /// reported. One with errors may come back, too.
    fn spec(&mut self, path: &Path, kind: &str, given: &Given) -> Option<Spec> {
        let is_spec = kind == "spec";
        let object = if is_spec { &SPEC } else { &SIMULATOR };
        let source = match self.sources.read(path) {
            Ok(source) => source,
            Err(error) => {
                self.diagnostics.push(error.diagnostic(None));
                return None;
            }
        };
        let tree = self.tree(source)?;
        let variables = Variables::new(environment());
        let diagnostics = self.diagnostics;
        let none = Variables::default();
        let fields = Context::new(diagnostics, &none).fields(tree.root(), object)?;
        let variables = variables.declare(fields.node("vars"), &given.variables, diagnostics);
        let context = Context::new(diagnostics, &variables);
        let uut = if is_spec { context.fields(tree.root(), object)?.object("uut") } else { None };
        let unit = self.unit.cloned().unwrap_or_default();
        let uut = uut::uut(&context, uut.as_ref(), &unit);
        let mut known = uut.variables();
        known.extend(self.position.map(|position| position.variables()).unwrap_or_default());
        let known = variables.within(known);
        let context = Context::new(diagnostics, &known);
        let root = context.fields(tree.root(), object)?;
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        let cells = if is_spec { self.tables(&context, &root, &folder)? } else { Cells::default() };
        let known = known.within(cells.values).without(cells.empty);
        let context = Context::new(diagnostics, &known);
        let root = context.fields(tree.root(), object)?;
        let (mut devices, refused) = self.devices(&context, &root, &folder);
        let (kept, (tests, order)) = {
            let loader = RefCell::new(&mut *self);
            let open = |context: &Context<'_>, file: &Spanned<String>, folder: &Path| {
                loader.borrow_mut().file(context, file, folder)
            };
            let names = Names::new((&tree, &folder), &devices, refused, &open);
            let kept = device::kept_alive(&context, &names, &root);
            let tests = if is_spec {
                let identification = loader.borrow_mut().identification(&context, &names, &uut);
                test::all(&context, &names, &root, (identification, !kept.is_empty()))
            } else {
                Default::default()
            };
            (kept, tests)
        };
        uut.check_name(&context, &tests);
        let timeout = is_spec.then(|| root.duration("timeout")).flatten();
        for (device, alive) in kept {
            if let Some(device) = devices.get_mut(device) {
                device.keep_alive = Some(alive);
            }
        }
        let (version, title) = (root.text("version"), root.text("title"));
        Some(Spec {
            name: root.text(kind)?.value,
            version: version.map(|version| version.value),
            title: title.map(|title| title.value),
            file: self.input(source)?,
            inputs: self.inputs(),
            variables: variables
                .all()
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value.value.clone()))
                .collect(),
            station: self.position.map(|position| Arc::clone(position.station)),
            slot: self.position.and_then(|position| Some(position.slot?.name.clone())),
            uut,
            devices,
            tests,
            order,
            timeout: timeout.map(|timeout| timeout.value),
        })
    }

    /// The id of the kind of file that this key makes it, as it is written; `None`: it is none, or
    /// cannot be read.
    fn id_of(&mut self, path: &Path, kind: &str) -> Option<Spanned<String>> {
        let source = self.sources.read(path).ok()?;
        let tree = self.tree(source)?;
        let at = |key| {
            let mut pairs = tree.root().pairs().into_iter().flatten();
            pairs.find(|(name, _)| name.scalar().is_some_and(|name| name.text == key))
        };
        let (key, id) = at(kind).filter(|_| at("spec").is_none())?;
        Some(Spanned { value: id.written().to_owned(), span: key.span() })
    }

    /// The spec of one device of the profile that is in this file.
    fn device_of(&mut self, path: &Path, name: &str) -> Option<Spec> {
        let file = path.file_name()?.to_str()?;
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        // JSON is YAML: what is in the names means nothing there.
        let text =
            serde_json::json!({ "simulator": name, "devices": { name: { "profile": file } } });
        let source = self.sources.add(folder.join(format!("{file}: simulated")), text.to_string());
        let tree = self.tree(source)?;
        let variables = Variables::default();
        let context = Context::new(self.diagnostics, &variables);
        let (devices, _) =
            self.devices(&context, &context.fields(tree.root(), &SIMULATOR)?, &folder);
        Some(Spec {
            name: name.to_owned(),
            version: None,
            title: None,
            file: self.input(source)?,
            inputs: self.inputs(),
            variables: Vec::new(),
            station: None,
            slot: None,
            uut: Uut::default(),
            devices,
            tests: Vec::new(),
            order: Vec::new(),
            timeout: None,
        })
    }

    /// Checks a file by itself if it is a profile. `false`: it is none, or cannot be read, which the
    /// load of the spec that it then should be reports.
    fn own_profile(&mut self, path: &Path) -> bool {
        let Ok(source) = self.sources.read(path) else { return false };
        if self.id_of(path, "profile").is_none() {
            return false;
        }
        let environment = environment();
        let variables = Variables::new(environment);
        let context = Context::new(self.diagnostics, &variables);
        if let Some(profile) = self.profile(&context, source, 0, &mut Vec::new()) {
            map::finish(&context, &profile);
        }
        true
    }

    /// The tree of a file that was read; parsed once.
    pub(super) fn tree(&mut self, source: SourceId) -> Option<Arc<Tree>> {
        if let Some(tree) = self.trees.get(&source) {
            return tree.clone();
        }
        self.used.push(source);
        let file = Arc::clone(self.sources.get(source)?);
        let tree = yaml::parse(&file, self.diagnostics).map(Arc::new);
        self.trees.insert(source, tree.clone());
        tree
    }

    /// The file that a text of a spec names, relative to the folder of that spec.
    pub(super) fn source(
        &mut self,
        context: &Context<'_>,
        file: &Spanned<String>,
        folder: &Path,
    ) -> Option<SourceId> {
        let read = self.sources.read(&folder.join(&file.value));
        read.map_err(|error| context.report(error.diagnostic(Some(file.span)))).ok()
    }

    /// As [`Self::source`], of a file that is no spec: the record names it.
    pub(super) fn file(
        &mut self,
        context: &Context<'_>,
        file: &Spanned<String>,
        folder: &Path,
    ) -> Option<Arc<Source>> {
        let source = self.source(context, file, folder)?;
        if !self.used.contains(&source) {
            self.used.push(source);
        }
        self.sources.get(source).cloned()
    }

    /// Every file that was read for the spec, that of the station last.
    fn inputs(&self) -> Vec<Input> {
        let station = self.position.map(|position| position.station.source);
        self.used.iter().copied().chain(station).filter_map(|used| self.input(used)).collect()
    }

    fn input(&self, source: SourceId) -> Option<Input> {
        let source = self.sources.get(source)?;
        let sha256 = Digest::of(source.text().as_bytes());
        Some(Input { file: source.path().to_owned(), sha256 })
    }
}

/// The variables of the environment that are text.
pub(super) fn environment() -> BTreeMap<String, String> {
    let variables = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    variables.collect()
}
