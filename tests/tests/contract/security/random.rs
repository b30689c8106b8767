//! Whatever comes in whatever order: the figures are those of the rows, and every class is that of what is known.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use module_monitor_domain::{
    CoreVersion, CoverageClass, DrupalVersion, Extension, Feed, Identification, Identified, Installed, MachineName,
    ModuleType, NameKnowledge, ProjectStatus, RejectedItem, ReleaseHistory, ReportedModule, Scope, Settled, Settlement,
    SiteId, SiteInfo, SiteModule, Standing, Support, UnknownReason, identify, in_use, owning_project,
};
use module_monitor_storage::{Check, CheckOutcome, InventoryFilter, NewAcceptance, Storage, SyncResult};
use module_monitor_tests::backends::TestDatabase;
use module_monitor_tests::on_both_backends;
use module_monitor_tests::reports::{module, report_of};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::support::{FETCHED, differences, history, project, range, recount, risk};
use crate::support::{Reporter, machine_name, rejected};

on_both_backends!(random_days_leave_every_class_and_figure_right);

/// Names that sites, drupal.org and administrators use alike. Two of them are core's.
const NAMES: [&str; 8] = ["alpha", "beta", "gamma", "delta", "theme_a", "theme_b", "node", "views"];
const VERSIONS: [Option<&str>; 5] = [Some("1.0.0"), Some("1.0.1"), Some("2.0.0"), Some("1.0.x-dev"), None];
const CORES: [&str; 3] = ["10.3.6", "10.3.5", "7.103"];
const CLASSES: [CoverageClass; 3] = [CoverageClass::Insecure, CoverageClass::Unsupported, CoverageClass::Unknown];

/// Numbers that are the same in every run: xorshift.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).expect("a small number") % end
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }
}

/// Some sites, and what administrators have said so far.
struct World {
    random: Random,
    storage: Arc<dyn Storage>,
    sites: Vec<Reporter>,
    now: OffsetDateTime,
    settled: HashMap<(Option<SiteId>, &'static str), Settlement>,
    accepted: Vec<Uuid>,
    /// The classes and reasons that modules in use were found in.
    seen: BTreeSet<&'static str>,
}

async fn random_days_leave_every_class_and_figure_right(database: TestDatabase) {
    let storage = database.open().await;
    for seed in [0x2545_F491_4F6C_DD1D, 0x9E37_79B9_7F4A_7C15] {
        let mut sites = Vec::new();
        for n in 0..3 {
            sites.push(Reporter::new(&storage, &format!("Site {n} of {seed}")).await);
        }
        let storage = Arc::clone(&storage);
        let random = Random(seed);
        let mut world = World {
            random,
            storage,
            sites,
            now: FETCHED,
            settled: HashMap::new(),
            accepted: Vec::new(),
            seen: BTreeSet::new(),
        };
        // What one seed has settled for all holds for the next one's sites, too.
        for name in NAMES {
            let _ = world.storage.settle_for_all(&machine_name(name), None, FETCHED, "ann").await;
        }
        for step in 0..120 {
            world.step().await;
            if step % 4 == 3 {
                world.check(&format!("seed {seed}, step {step}")).await;
            }
        }
        let all = CoverageClass::NAMES.iter().chain(&UnknownReason::NAMES).copied().collect();
        assert_eq!(world.seen, all, "everything that can be has been");
    }
}

impl World {
    async fn step(&mut self) {
        self.now += Duration::HOUR;
        match self.random.below(10) {
            0..5 => self.sync().await,
            5 | 6 => self.import().await,
            7 => self.ask_for_nothing().await,
            8 => self.settle().await,
            _ => self.accept_or_not().await,
        }
        if self.random.once_in(3) {
            recount(&self.storage, self.now).await;
        }
    }

    async fn sync(&mut self) {
        let scope = self.random.one(&[Scope::Full, Scope::Full, Scope::Partial]);
        let core = if self.random.once_in(4) { self.random.one(&CORES) } else { CORES[0] };
        let mut modules = Vec::new();
        let mut bad: Vec<RejectedItem> = Vec::new();
        for name in NAMES {
            match self.random.below(8) {
                0 => {}
                1 => bad.push(RejectedItem {
                    enabled: self.random.one(&[None, Some(true), Some(false)]),
                    ..rejected(Some(name))
                }),
                _ => modules.push(self.module(name)),
            }
        }
        if self.random.once_in(6) {
            bad.push(rejected(None));
        }
        if self.random.once_in(2) {
            bad.clear();
        }
        let site = self.random.below(self.sites.len());
        let reporter = &mut self.sites[site];
        reporter.at = self.now;
        let info = SiteInfo { json: "{}".to_owned(), ..SiteInfo::default() };
        let result = reporter.result(|at| report_of(scope, at, core, info, modules).with_rejected(bad)).await;
        assert!(matches!(result, SyncResult::Applied(_)), "{result:?}");
    }

    fn module(&mut self, name: &str) -> ReportedModule {
        let random = &mut self.random;
        let is_of_core = matches!(name, "node" | "views");
        let types = [ModuleType::Contrib, ModuleType::Contrib, ModuleType::Custom, ModuleType::Core];
        let module_type = if is_of_core && !random.once_in(4) { ModuleType::Core } else { random.one(&types) };
        let version = match module_type {
            ModuleType::Core if !random.once_in(3) => Some(CORES[0]),
            _ => random.one(&VERSIONS),
        };
        let sent = random.once_in(4).then(|| project(random.one(&NAMES)));
        let mut reported = module(name, "1.0.0");
        reported.project = owning_project(module_type, &reported.machine_name, sent.as_ref(), None);
        reported.module_type = module_type;
        reported.version = version.map(|text| DrupalVersion::parse(text).expect("a version"));
        reported.enabled = !random.once_in(3);
        reported.datestamp = random.one(&[None, Some(1_769_000_000), Some(1_771_000_000)]);
        let details = &mut reported.site_details;
        if name.starts_with("theme") {
            reported.extension = Extension::Theme;
            details.base_theme = random.one(&[None, Some("theme_a"), Some("theme_b")]).map(machine_name);
        }
        details.path = random.one(&[None, None, Some("modules/contrib/x"), Some("core/modules/x")]).map(str::to_owned);
        if random.once_in(10) {
            details.missing = true;
            reported.version = None;
        }
        reported
    }

    async fn import(&mut self) {
        let name = self.random.one(&["alpha", "beta", "gamma", "theme_a", "views", "drupal"]);
        let releases: &[&str] = match (name, self.random.below(3)) {
            ("drupal", 0) => &["10.3.6", "10.3.5"],
            ("drupal", _) => &["10.3.6 security", "10.3.5 insecure"],
            (_, 0) => &["1.0.1", "1.0.x-dev", "1.0.0"],
            (_, 1) => &["1.0.1 security", "1.0.x-dev", "1.0.0 insecure"],
            _ => &["2.0.0", "1.0.1 unsupported", "1.0.0 unsupported"],
        };
        let branches = if name == "drupal" { "10.3." } else { self.random.one(&["1.0.", "2.0.", "1.0.,2.0."]) };
        let mut history = history(name, branches, releases);
        if self.random.once_in(5) {
            history.status =
                self.random.one(&[ProjectStatus::Insecure, ProjectStatus::Unsupported, ProjectStatus::Revoked]);
        }
        if self.random.once_in(5) {
            let support = Support { majors: Some("1".to_owned()), ..Support::default() };
            history = ReleaseHistory { feed: Feed::Drupal7, support, ..history };
        }
        super::support::store(&self.storage, history, self.now).await;
    }

    /// drupal.org does not know a project.
    async fn ask_for_nothing(&mut self) {
        let check = Check {
            project: project(self.random.one(&["gamma", "delta", "theme_b"])),
            feed: Feed::Current,
            at: self.now,
            next_check_at: self.now + Duration::WEEK,
            outcome: CheckOutcome::NoHistory,
        };
        self.storage.note_check(check).await.expect("a storage that works");
    }

    async fn settle(&mut self) {
        let name = self.random.one(&NAMES);
        let wanted = match self.random.below(3) {
            0 => None,
            1 => Some(Settlement::Own),
            _ => Some(Settlement::Project(project(self.random.one(&NAMES)))),
        };
        let of = self.random.one(&[None, Some(0), Some(1), Some(2)]).map(|site: usize| self.sites[site].id);
        let machine_name = machine_name(name);
        let done = match of {
            Some(site) => self.storage.settle_for_site(site, &machine_name, wanted.clone(), self.now, "ann").await,
            None => self.storage.settle_for_all(&machine_name, wanted.clone(), self.now, "ann").await,
        };
        match (done.expect("a storage that works"), wanted) {
            (true, Some(settlement)) => drop(self.settled.insert((of, name), settlement)),
            (true, None) => drop(self.settled.remove(&(of, name))),
            (false, _) => {}
        }
    }

    async fn accept_or_not(&mut self) {
        if self.random.once_in(3) && !self.accepted.is_empty() {
            let id = self.accepted.swap_remove(self.random.below(self.accepted.len()));
            self.storage.withdraw_acceptance(id, self.now, "ann").await.expect("a storage that works");
        } else {
            let name = self.random.one(&["alpha", "beta", "gamma", "delta", "theme_a", "drupal"]);
            let acceptance = NewAcceptance {
                class: self.random.one(&CLASSES),
                versions: if self.random.once_in(2) { range(None, Some("1.0.0")) } else { range(None, None) },
                site_id: self.random.once_in(2).then(|| self.sites[0].id),
                ..risk(name, self.now, self.now + Duration::hours(20))
            };
            self.accepted.push(acceptance.id);
            self.storage.create_acceptance(acceptance, "ann").await.expect("a storage that works");
        }
        self.storage.end_due_acceptances(self.now).await.expect("a storage that works");
    }

    /// Everything is as it should be once nothing is left to recount.
    async fn check(&mut self, when: &str) {
        recount(&self.storage, self.now).await;
        assert_eq!(differences(&self.storage).await, [], "{when}");
        for site in &self.sites {
            let seen = self.check_site(site, when).await;
            self.seen.extend(seen);
        }
    }

    /// Gives the classes and reasons of what is in use.
    async fn check_site(&self, site: &Reporter, when: &str) -> BTreeSet<&'static str> {
        let mut seen = BTreeSet::new();
        let shown = site.site().await;
        let Some(core) = shown.drupal_version else { return seen };
        let core = CoreVersion::parse(&core).expect("a core version");
        let mut modules = Vec::new();
        for listed in site.list(InventoryFilter::default()).await {
            modules.push(site.module(listed.machine_name.as_str()).await);
        }
        let installed: Vec<Installed<'_>> = modules
            .iter()
            .map(|module| Installed {
                machine_name: &module.machine_name,
                extension: module.state.extension,
                enabled: module.state.enabled,
                base_theme: module.state.site_details.base_theme.as_ref(),
            })
            .collect();
        let used = in_use(&installed);
        let mut counts = [0; 5];
        let mut core_is_told = false;
        for module in &modules {
            let is_used = used.contains(&module.machine_name) || module.rejected;
            let (expected, is_core) = self.expected(site.id, module, &core).await;
            let told = module.class.map(|class| (class, module.unknown_reason));
            assert_eq!(told, is_used.then_some(expected), "{when}: {module:?}");
            core_is_told |= is_used && is_core;
            if is_used {
                counts[place(expected.0)] += 1;
                seen.insert(expected.0.as_str());
                seen.extend(expected.1.map(UnknownReason::as_str));
            }
        }
        let security = shown.security;
        let figures = security.coverage().map(|(_, count)| count);
        let nameless = figures.iter().sum::<i32>() - counts.iter().sum::<i32>() - i32::from(!core_is_told);
        assert!(nameless >= 0, "{when}: {security:?} {counts:?}");
        for (at, figure) in figures.into_iter().enumerate() {
            let others = if at == place(CoverageClass::Unknown) { nameless + 1 } else { 1 };
            assert!((counts[at]..=counts[at] + others).contains(&figure), "{when}: {security:?} {counts:?}");
        }
        seen
    }

    /// In which class what is known of a module puts it, were it in use, and whether it speaks for the site's core.
    async fn expected(
        &self,
        site: SiteId,
        module: &SiteModule,
        core: &CoreVersion,
    ) -> ((CoverageClass, Option<UnknownReason>), bool) {
        let name = &module.machine_name;
        let state = &module.state;
        let known = self.known(site, name, core).await;
        // Of one that was never read, nothing but its name is known.
        let is_read = !(module.rejected && state.version.is_none() && state.project.is_none());
        let found = if is_read { identify(name, state, core, &known) } else { Identified::default() };
        let not_on_drupal_org = match &found.project {
            Some(project) => self.is_absent(project.as_str(), core).await,
            None => false,
        };
        let judgement = module.judgement.as_ref();
        let standing = Standing {
            module_type: state.module_type,
            status: judgement.map(|judgement| judgement.status),
            needs_security_update: judgement
                .is_some_and(|judgement| judgement.needs_security_update(state.version.as_ref().map(|v| v.as_str()))),
            not_on_drupal_org,
            has_version: state.version.is_some(),
            rejected: module.rejected,
            unidentified: found.identification == Some(Identification::Unidentified),
            missing: found.identification == Some(Identification::Missing),
        };
        let own = found.identification == Some(Identification::Own);
        let class = match standing.class() {
            _ if own && found.project.is_none() && !module.rejected => (CoverageClass::Own, None),
            (CoverageClass::Unknown, Some(UnknownReason::NotOnDrupalOrg)) if own => (CoverageClass::Own, None),
            class => class,
        };
        let is_core =
            state.module_type == ModuleType::Core && found.identification.is_none() && found.project.is_none();
        (class, is_core)
    }

    async fn known(&self, site: SiteId, name: &MachineName, core: &CoreVersion) -> NameKnowledge {
        let feeds = self.storage.project_feeds(&project(name.as_str())).await.expect("a storage that works");
        let of = |site| self.settled.iter().find(|((of, known), _)| *of == site && *known == name.as_str());
        let settled = of(Some(site)).or_else(|| of(None));
        NameKnowledge {
            is_project: feeds.iter().any(|feed| feed.fetched_at.is_some()),
            not_on_drupal_org: self.is_absent(name.as_str(), core).await,
            settled: settled
                .map(|((of, _), settlement)| Settled { settlement: settlement.clone(), for_all: of.is_none() }),
        }
    }

    async fn is_absent(&self, name: &str, core: &CoreVersion) -> bool {
        let feeds = self.storage.project_feeds(&project(name)).await.expect("a storage that works");
        let own = feeds.iter().find(|feed| feed.feed == Feed::of(core));
        own.is_some_and(|feed| feed.fetched_at.is_none() && feed.no_history_at.is_some())
    }
}

fn place(class: CoverageClass) -> usize {
    CoverageClass::NAMES.iter().position(|name| *name == class.as_str()).expect("a class")
}
