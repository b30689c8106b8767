//! The fingerprint: different for whatever is stored or judged, equal otherwise.

use module_monitor_domain::{
    CodeSource, Extension, Fingerprint, ModuleDetails, ModuleType, PhpVersion, ProjectName, Report, ReportedModule,
    Scope, SiteDetails, SiteInfo,
};
use time::Duration;

use crate::support::{NOON, full, identity, module, name, report_of, version};

fn fingerprint(report: &Report) -> Fingerprint {
    report.fingerprint().expect("an exact report has one")
}

/// A module with something in every field.
fn whole() -> ReportedModule {
    ReportedModule {
        datestamp: Some(1),
        schema_version: Some(1),
        site_details: whole_site_details(),
        details: ModuleDetails {
            name: "Name".to_owned(),
            package: Some("Package".to_owned()),
            core_compatibility: vec!["^10".to_owned(), "^11".to_owned()],
            dependencies: vec!["drupal:node".to_owned()],
            description: Some("Text".to_owned()),
            project_link: Some("https://www.drupal.org/project/whole".to_owned()),
        },
        ..module("whole", "1.0.0")
    }
}

fn whole_site_details() -> SiteDetails {
    SiteDetails {
        reported_version: Some("VERSION".to_owned()),
        path: Some("modules/whole".to_owned()),
        composer_name: Some("drupal/whole".to_owned()),
        composer_version: Some("1.0.0".to_owned()),
        composer_reference: Some("8.x-1.0".to_owned()),
        source: Some(CodeSource::Dist),
        base_theme: Some(name("claro")),
        hidden: false,
        missing: false,
    }
}

/// What only the site can say with one field changed, for every field.
fn every_site_detail_changed() -> Vec<(&'static str, SiteDetails)> {
    let SiteDetails {
        reported_version: _,
        path: _,
        composer_name: _,
        composer_version: _,
        composer_reference: _,
        source: _,
        base_theme: _,
        hidden: _,
        missing: _,
    } = whole_site_details();
    let all = whole_site_details;
    let other = || Some("other".to_owned());
    vec![
        ("reported_version", SiteDetails { reported_version: other(), ..all() }),
        ("no reported_version", SiteDetails { reported_version: None, ..all() }),
        ("path", SiteDetails { path: other(), ..all() }),
        ("no path", SiteDetails { path: None, ..all() }),
        ("composer_name", SiteDetails { composer_name: other(), ..all() }),
        ("no composer_name", SiteDetails { composer_name: None, ..all() }),
        ("composer_version", SiteDetails { composer_version: other(), ..all() }),
        ("no composer_version", SiteDetails { composer_version: None, ..all() }),
        ("composer_reference", SiteDetails { composer_reference: other(), ..all() }),
        ("no composer_reference", SiteDetails { composer_reference: None, ..all() }),
        ("source", SiteDetails { source: Some(CodeSource::Path), ..all() }),
        ("no source", SiteDetails { source: None, ..all() }),
        ("base_theme", SiteDetails { base_theme: Some(name("olivero")), ..all() }),
        ("no base_theme", SiteDetails { base_theme: None, ..all() }),
        ("hidden", SiteDetails { hidden: true, ..all() }),
        ("missing", SiteDetails { missing: true, ..all() }),
    ]
}

/// The module with one field changed, for every field. Does not compile when a field is added without being named.
fn every_field_changed() -> Vec<(&'static str, ReportedModule)> {
    let ReportedModule {
        machine_name: _,
        module_type: _,
        extension: _,
        version: _,
        enabled: _,
        project: _,
        datestamp: _,
        schema_version: _,
        security_coverage: _,
        site_details: _,
        details:
            ModuleDetails { name: _, package: _, core_compatibility: _, dependencies: _, description: _, project_link: _ },
    } = whole();
    let with = |details: ModuleDetails| ReportedModule { details, ..whole() };
    let details = || whole().details;
    vec![
        ("machine_name", ReportedModule { machine_name: name("other"), ..whole() }),
        ("module_type", ReportedModule { module_type: ModuleType::Custom, ..whole() }),
        ("extension", ReportedModule { extension: Extension::Theme, ..whole() }),
        ("version", ReportedModule { version: version("1.0"), ..whole() }),
        ("no version", ReportedModule { version: None, ..whole() }),
        ("enabled", ReportedModule { enabled: false, ..whole() }),
        ("project", ReportedModule { project: Some(ProjectName::drupal()), ..whole() }),
        ("no project", ReportedModule { project: None, ..whole() }),
        ("datestamp", ReportedModule { datestamp: Some(2), ..whole() }),
        ("no datestamp", ReportedModule { datestamp: None, ..whole() }),
        ("datestamp 0", ReportedModule { datestamp: Some(0), ..whole() }),
        ("schema_version", ReportedModule { schema_version: Some(-1), ..whole() }),
        ("no schema_version", ReportedModule { schema_version: None, ..whole() }),
        ("schema_version 0", ReportedModule { schema_version: Some(0), ..whole() }),
        ("security_coverage", ReportedModule { security_coverage: false, ..whole() }),
        ("name", with(ModuleDetails { name: "name".to_owned(), ..details() })),
        ("package", with(ModuleDetails { package: Some("Other".to_owned()), ..details() })),
        ("no package", with(ModuleDetails { package: None, ..details() })),
        ("empty package", with(ModuleDetails { package: Some(String::new()), ..details() })),
        ("core_compatibility", with(ModuleDetails { core_compatibility: vec!["^10 ^11".to_owned()], ..details() })),
        ("no core_compatibility", with(ModuleDetails { core_compatibility: Vec::new(), ..details() })),
        ("dependencies", with(ModuleDetails { dependencies: vec!["drupal:user".to_owned()], ..details() })),
        (
            "a string moved from one list to the other",
            with(ModuleDetails {
                core_compatibility: vec!["^10".to_owned()],
                dependencies: vec!["^11".to_owned(), "drupal:node".to_owned()],
                ..details()
            }),
        ),
        ("description", with(ModuleDetails { description: Some("text".to_owned()), ..details() })),
        ("no description", with(ModuleDetails { description: None, ..details() })),
        ("project_link", with(ModuleDetails { project_link: Some("https://example.com".to_owned()), ..details() })),
        ("no project_link", with(ModuleDetails { project_link: None, ..details() })),
    ]
}

#[test]
fn every_stored_or_judged_field_makes_a_difference() {
    let mut seen = vec![("as it was", fingerprint(&full(vec![whole()])))];
    let details = every_site_detail_changed();
    let details = details.into_iter().map(|(what, site_details)| (what, ReportedModule { site_details, ..whole() }));
    for (what, changed) in every_field_changed().into_iter().chain(details) {
        let changed = fingerprint(&full(vec![changed]));
        let same = seen.iter().find(|(_, other)| *other == changed);
        assert_eq!(same, None, "{what}");
        seen.push((what, changed));
    }
}

#[test]
fn text_that_moves_from_one_field_to_the_next_makes_a_difference() {
    let of = |name: &str, package: &str| {
        let details =
            ModuleDetails { name: name.to_owned(), package: Some(package.to_owned()), ..ModuleDetails::default() };
        fingerprint(&full(vec![ReportedModule { details, ..module("a", "1.0.0") }]))
    };
    assert_ne!(of("ab", "c"), of("a", "bc"));
}

#[test]
fn the_drupal_version_and_a_missing_module_make_a_difference() {
    let of = |drupal, modules| fingerprint(&report_of(Scope::Full, NOON, drupal, SiteInfo::default(), modules));
    let both = || vec![module("a", "1.0.0"), module("b", "1.0.0")];
    assert_ne!(of("10.3.6", both()), of("10.3.7", both()));
    assert_ne!(of("10.3.6", both()), of("10.3.6", vec![module("a", "1.0.0")]));
    assert_ne!(of("10.3.6", Vec::new()), of("10.3.6", vec![module("a", "1.0.0")]));
}

#[test]
fn what_the_touch_writes_is_not_part_of_it() {
    let one = full(vec![whole()]);
    let info = SiteInfo { json: r#"{"name":"x"}"#.to_owned(), identity: identity(Some("prod"), None) };
    let other = Report::new(
        Scope::Full,
        NOON + Duration::HOUR,
        one.drupal_version().clone(),
        PhpVersion::parse("8.4.1").expect("valid"),
        info,
        vec![whole()],
    );
    assert_eq!(fingerprint(&one), fingerprint(&other));
}

#[test]
fn a_stored_fingerprint_is_read_back_and_one_of_another_format_is_not() {
    let fingerprint = fingerprint(&full(vec![whole()]));
    let bytes = fingerprint.as_bytes();
    assert!(bytes.len() > 16, "at least 128 bits");
    assert_eq!(Fingerprint::from_bytes(bytes), Some(fingerprint));
    let mut other_format = bytes.to_vec();
    other_format[0] += 1;
    assert_eq!(Fingerprint::from_bytes(&other_format), None);
    assert_eq!(Fingerprint::from_bytes(&bytes[1..]), None);
    assert_eq!(Fingerprint::from_bytes(&[]), None);
}
