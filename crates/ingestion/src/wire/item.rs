//! One item of `modules`.

use garde::Validate;
use module_monitor_domain::{
    CodeSource, Extension, MachineName, ModuleDetails, ModuleType, ProjectLink, ProjectName, RejectedItem,
    ReportedModule, ReportedVersion, SiteDetails, owning_project,
};
use serde_json::value::RawValue;

use super::decode::{Fields, StringList, wrong_type};
use super::json::{Kind, text};
use super::problems::Problems;
use super::rules::{add_violations, between, characters, items, relative_path};
use super::version;

/// The fields an item may have; all others are ignored.
const FIELDS: [&str; 23] = [
    "machine_name",
    "name",
    "type",
    "version",
    "status",
    "extension",
    "schema_version",
    "package",
    "project",
    "core_compatibility",
    "dependencies",
    "description",
    "project_link",
    "security_coverage",
    "datestamp",
    "path",
    "composer_name",
    "composer_version",
    "composer_reference",
    "source",
    "base_theme",
    "hidden",
    "missing",
];

/// The latest time of a release, the end of the year 2099.
const MAX_DATESTAMP: i64 = 4_102_444_800;

/// An item whose fields have the right types. A required field is `None` only if that is among the problems.
#[derive(Validate)]
struct Item {
    #[garde(skip)]
    machine_name: Option<MachineName>,
    #[garde(inner(custom(characters(1, 255))))]
    name: Option<String>,
    #[garde(skip)]
    module_type: Option<ModuleType>,
    #[garde(skip)]
    version: Option<Option<ReportedVersion>>,
    #[garde(skip)]
    status: Option<bool>,
    #[garde(skip)]
    extension: Option<Extension>,
    #[garde(inner(custom(between(i32::MIN.into(), i32::MAX.into()))))]
    schema_version: Option<i64>,
    #[garde(inner(custom(characters(0, 255))))]
    package: Option<String>,
    #[garde(skip)]
    project: Option<ProjectName>,
    #[garde(custom(items(500)), inner(inner(custom(characters(0, 255)))))]
    core_compatibility: Vec<Option<String>>,
    #[garde(custom(items(500)), inner(inner(custom(characters(0, 255)))))]
    dependencies: Vec<Option<String>>,
    #[garde(inner(custom(characters(0, 10_000))))]
    description: Option<String>,
    #[garde(inner(custom(characters(0, 2_048))))]
    project_link: Option<String>,
    #[garde(skip)]
    security_coverage: Option<bool>,
    #[garde(inner(custom(between(0, MAX_DATESTAMP))))]
    datestamp: Option<i64>,
    #[garde(inner(custom(relative_path(512))))]
    path: Option<String>,
    #[garde(inner(custom(characters(0, 255))))]
    composer_name: Option<String>,
    #[garde(inner(custom(characters(0, 255))))]
    composer_version: Option<String>,
    #[garde(inner(custom(characters(0, 255))))]
    composer_reference: Option<String>,
    #[garde(skip)]
    source: Option<CodeSource>,
    #[garde(skip)]
    base_theme: Option<MachineName>,
    #[garde(skip)]
    hidden: Option<bool>,
    #[garde(skip)]
    missing: Option<bool>,
}

/// Decodes and checks one item; `None` once at least one reason is among the problems.
pub(super) fn read_item(raw: &RawValue, problems: &mut Problems) -> Option<ReportedModule> {
    if Kind::of(raw) != Kind::Object {
        wrong_type(raw, "", r#"an object such as {"machine_name": "token", …}"#, problems);
        return None;
    }
    let fields = Fields::parse(raw.get(), &FIELDS)
        .inspect_err(|error| problems.add("", "invalid", || error.to_string()))
        .ok()?;
    let item = Item::decode(&fields, problems);
    if item.missing == Some(true) && matches!(item.version, Some(Some(_))) {
        problems.add("version", "invalid", || {
            "must be null where the code is missing: nothing says its version".to_owned()
        });
    }
    if let Err(report) = item.validate() {
        add_violations(report, problems);
    }
    if problems.is_empty() { item.into_module() } else { None }
}

/// What can be read of a rejected item. Its name is cut to 255 characters.
pub(super) fn readable(raw: &RawValue) -> RejectedItem {
    let Ok(fields) = Fields::parse(raw.get(), &["machine_name", "type", "extension", "status"]) else {
        return RejectedItem::default();
    };
    let name = fields.sent("machine_name").filter(|raw| Kind::of(raw) == Kind::String).and_then(text);
    let name = name.filter(|name| !name.is_empty() && !name.contains('\0'));
    let mut unheard = Problems::of(String::new(), 0);
    RejectedItem {
        machine_name: name.map(|name| name.chars().take(255).collect()),
        module_type: fields.optional("type", &mut unheard),
        extension: fields.optional("extension", &mut unheard),
        enabled: fields.optional("status", &mut unheard),
        problems: Vec::new(),
    }
}

impl Item {
    fn decode(fields: &Fields<'_>, problems: &mut Problems) -> Self {
        Self {
            machine_name: fields.required("machine_name", problems),
            name: fields.required("name", problems),
            module_type: fields.required("type", problems),
            version: version::read(fields, problems),
            status: fields.required("status", problems),
            extension: fields.optional("extension", problems),
            schema_version: fields.optional("schema_version", problems),
            package: fields.optional("package", problems),
            project: fields.optional("project", problems),
            core_compatibility: fields.optional::<StringList>("core_compatibility", problems).unwrap_or_default().0,
            dependencies: fields.optional::<StringList>("dependencies", problems).unwrap_or_default().0,
            description: fields.optional("description", problems),
            project_link: fields.optional("project_link", problems),
            security_coverage: fields.optional("security_coverage", problems),
            datestamp: fields.optional("datestamp", problems),
            path: fields.optional("path", problems),
            composer_name: fields.optional("composer_name", problems),
            composer_version: fields.optional("composer_version", problems),
            composer_reference: fields.optional("composer_reference", problems),
            source: fields.optional("source", problems),
            base_theme: fields.optional("base_theme", problems),
            hidden: fields.optional("hidden", problems),
            missing: fields.optional("missing", problems),
        }
    }

    /// The module, where nothing required is missing.
    fn into_module(self) -> Option<ReportedModule> {
        let (machine_name, module_type) = (self.machine_name?, self.module_type?);
        let link = self.project_link.as_deref();
        let mut site_details = SiteDetails {
            reported_version: None,
            path: self.path,
            composer_name: self.composer_name,
            composer_version: self.composer_version,
            composer_reference: self.composer_reference,
            source: self.source,
            base_theme: self.base_theme,
            hidden: self.hidden.unwrap_or_default(),
            missing: self.missing.unwrap_or_default(),
        };
        // Where the info file says nothing, Composer may know.
        let composers = || site_details.composer_release().filter(|_| !site_details.missing);
        let (version, reported_version) = match self.version? {
            Some(ReportedVersion::Known(version)) => (Some(version), None),
            Some(ReportedVersion::NotKnown(text)) => {
                composers().map_or((None, Some(text)), |version| (Some(version), None))
            }
            None => (composers(), None),
        };
        site_details.reported_version = reported_version;
        Some(ReportedModule {
            project: owning_project(module_type, &machine_name, self.project.as_ref(), link),
            machine_name,
            module_type,
            extension: self.extension.unwrap_or_default(),
            version,
            enabled: self.status?,
            datestamp: self.datestamp,
            schema_version: self.schema_version.and_then(|n| n.try_into().ok()),
            security_coverage: self.security_coverage.unwrap_or(true),
            details: ModuleDetails {
                name: self.name?,
                package: self.package,
                core_compatibility: self.core_compatibility.into_iter().flatten().collect(),
                dependencies: self.dependencies.into_iter().flatten().collect(),
                description: self.description,
                // People follow it: what is no address of a page is not kept.
                project_link: self.project_link.filter(|link| ProjectLink::parse(link).is_ok()),
            },
            site_details,
        })
    }
}
