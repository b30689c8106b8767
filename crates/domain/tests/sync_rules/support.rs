//! Reports and sites to try the rules on.

use module_monitor_domain::{
    CoreVersion, CurrentModule, DrupalVersion, Extension, MachineName, ModuleDetails, ModuleType, PhpVersion,
    ProjectName, RejectedItem, Rejection, Report, ReportedModule, Scope, SiteDetails, SiteIdentity, SiteInfo,
    SiteModuleState, SiteState,
};
use time::OffsetDateTime;
use time::macros::datetime;

pub(crate) const NOON: OffsetDateTime = datetime!(2026-03-01 12:00 UTC);

pub(crate) fn name(name: &str) -> MachineName {
    MachineName::parse(name).expect("valid")
}

pub(crate) fn version(text: &str) -> Option<DrupalVersion> {
    Some(DrupalVersion::parse(text).expect("valid"))
}

/// An enabled contrib module.
pub(crate) fn module(machine_name: &str, version_text: &str) -> ReportedModule {
    ReportedModule {
        machine_name: name(machine_name),
        module_type: ModuleType::Contrib,
        extension: Extension::Module,
        version: version(version_text),
        enabled: true,
        project: Some(ProjectName::parse(machine_name).expect("valid")),
        datestamp: None,
        schema_version: None,
        security_coverage: true,
        details: ModuleDetails { name: machine_name.to_owned(), ..ModuleDetails::default() },
        site_details: SiteDetails::default(),
    }
}

pub(crate) fn modules(count: usize) -> Vec<ReportedModule> {
    (0..count).map(|n| module(&format!("m{n:03}"), "1.0.0")).collect()
}

pub(crate) fn report_of(
    scope: Scope,
    at: OffsetDateTime,
    drupal: &str,
    info: SiteInfo,
    modules: Vec<ReportedModule>,
) -> Report {
    Report::new(
        scope,
        at,
        CoreVersion::parse(drupal).expect("valid"),
        PhpVersion::parse("8.3.0").expect("valid"),
        info,
        modules,
    )
}

pub(crate) fn full(modules: Vec<ReportedModule>) -> Report {
    report_of(Scope::Full, NOON, "10.3.6", SiteInfo::default(), modules)
}

pub(crate) fn partial(modules: Vec<ReportedModule>) -> Report {
    report_of(Scope::Partial, NOON, "10.3.6", SiteInfo::default(), modules)
}

pub(crate) fn identity(environment: Option<&str>, url: Option<&str>) -> SiteIdentity {
    SiteIdentity { environment: environment.map(str::to_owned), url: url.map(str::to_owned) }
}

pub(crate) fn from_site(identity: SiteIdentity, modules: Vec<ReportedModule>) -> Report {
    report_of(Scope::Full, NOON, "10.3.6", SiteInfo { json: "{}".to_owned(), identity }, modules)
}

pub(crate) fn rejected(name: Option<&str>) -> RejectedItem {
    let rejection = Rejection {
        pointer: "/modules/0/version".to_owned(),
        machine_name: name.map(str::to_owned),
        code: "malformed".to_owned(),
        detail: "not a version".to_owned(),
    };
    RejectedItem { machine_name: rejection.machine_name.clone(), problems: vec![rejection], ..RejectedItem::default() }
}

/// A site that has never reported.
pub(crate) fn new_site() -> SiteState {
    SiteState {
        active: true,
        strict_identity: false,
        identity: SiteIdentity::default(),
        drupal_version: None,
        last_sync_timestamp: None,
        fingerprint: None,
        mass_removal: false,
        unnamed_rejections: 0,
    }
}

/// The site as `report` leaves it.
pub(crate) fn site_after(report: &Report) -> SiteState {
    SiteState {
        identity: report.site_info().identity.clone(),
        drupal_version: Some(report.drupal_version().clone()),
        last_sync_timestamp: Some(report.sync_timestamp()),
        fingerprint: report.fingerprint(),
        ..new_site()
    }
}

/// The rows that a report leaves on a site that had none.
pub(crate) fn rows_after(report: &Report) -> Vec<CurrentModule> {
    let row = |reported: &ReportedModule| CurrentModule {
        machine_name: reported.machine_name.clone(),
        item: report.item(&reported.machine_name),
        enabled: reported.enabled,
        module_type: reported.module_type,
        extension: reported.extension,
        base_theme: reported.site_details.base_theme.clone(),
        datestamp: reported.datestamp,
        state: Some(SiteModuleState::of(reported, reported.module_type)),
        removed: false,
        rejected: None,
        in_use: reported.enabled,
        identification: None,
    };
    report.modules().iter().map(row).collect()
}

/// A registry that knows nothing else than what is reported.
pub(crate) fn no_registry(_: &MachineName) -> Option<ModuleType> {
    None
}
