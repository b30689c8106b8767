//! In which class an extension in use is.

use super::UpdateStatus;
use crate::{ModuleType, names};

names! {
    /// What is known of an extension in use. Every one is in exactly one class, the first that fits, so that the figures
    /// of a site add up to what it has in use.
    pub enum CoverageClass {
        /// It needs a security update.
        Insecure = "insecure",
        /// Its release or branch is not supported, or was withdrawn.
        Unsupported = "unsupported",
        /// It could not be judged.
        Unknown = "unknown",
        /// The site's own code, and nothing suggests that it is anybody else's.
        Own = "own",
        /// Judged, and nothing is wrong with it.
        Secure = "secure",
    }
}

names! {
    /// Why an extension could not be judged; the first reason that fits.
    pub enum UnknownReason {
        /// Its last report could not be read.
        Rejected = "rejected",
        /// It is not what it is reported as, or is likely somebody else's code.
        Unidentified = "unidentified",
        /// drupal.org has no release history of its project.
        NotOnDrupalOrg = "not_on_drupal_org",
        /// The releases of its project have never been fetched.
        NotFetched = "not_fetched",
        /// Its version is not known.
        NoVersion = "no_version",
        /// Its version cannot be compared with the releases: a dev release without a date, a version that Drupal's rules
        /// cannot parse, a history with nothing to compare.
        NotComparable = "not_comparable",
    }
}

/// What decides the class of an extension in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// What its site reports it as.
    pub module_type: ModuleType,
    /// How its last version that could be read stands; `None` where no project judges it.
    pub status: Option<UpdateStatus>,
    /// Whether that version needs a security update; see
    /// [`Judgement::needs_security_update`](crate::Judgement::needs_security_update).
    pub needs_security_update: bool,
    /// Whether drupal.org answered that it has no release history of its project.
    pub not_on_drupal_org: bool,
    /// Whether its version is known.
    pub has_version: bool,
    /// Whether its last report could not be read.
    pub rejected: bool,
    /// Whether it is unidentified. No status counts then: it would be that of a project it may not belong to.
    pub unidentified: bool,
    /// Whether it is enabled while its code is not there. No status counts then either.
    pub missing: bool,
}

impl Standing {
    /// The class, and the reason for it, which [`CoverageClass::Unknown`] has and no other.
    pub fn class(&self) -> (CoverageClass, Option<UnknownReason>) {
        let status = self.status.filter(|_| !self.unidentified && !self.missing);
        let class = match status {
            Some(UpdateStatus::NotSecure) => CoverageClass::Insecure,
            Some(_) if self.needs_security_update => CoverageClass::Insecure,
            Some(UpdateStatus::NotSupported | UpdateStatus::Revoked) => CoverageClass::Unsupported,
            _ => match (self.unknown_reason(status), status) {
                (Some(reason), _) => return (CoverageClass::Unknown, Some(reason)),
                (None, None) => CoverageClass::Own,
                (None, Some(_)) => CoverageClass::Secure,
            },
        };
        (class, None)
    }

    /// Why nothing can be said of it, where `status` is what counts of its status.
    fn unknown_reason(&self, status: Option<UpdateStatus>) -> Option<UnknownReason> {
        if self.rejected {
            return Some(UnknownReason::Rejected);
        }
        if self.unidentified {
            return Some(UnknownReason::Unidentified);
        }
        if self.missing {
            return Some(UnknownReason::NoVersion);
        }
        match status {
            None => match self.module_type {
                ModuleType::Custom => None,
                // No project can have its name.
                ModuleType::Contrib => Some(UnknownReason::NotOnDrupalOrg),
                ModuleType::Core => Some(UnknownReason::NotFetched),
            },
            Some(UpdateStatus::NotFetched | UpdateStatus::Unknown) if self.not_on_drupal_org => {
                Some(UnknownReason::NotOnDrupalOrg)
            }
            Some(UpdateStatus::NotFetched) => Some(UnknownReason::NotFetched),
            Some(UpdateStatus::Unknown) if !self.has_version => Some(UnknownReason::NoVersion),
            Some(UpdateStatus::Unknown | UpdateStatus::NotChecked) => Some(UnknownReason::NotComparable),
            Some(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use CoverageClass::{Insecure, Own, Secure, Unknown, Unsupported};
    use UnknownReason::{NoVersion, NotComparable, NotFetched, NotOnDrupalOrg, Rejected, Unidentified};
    use proptest::option;
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    /// A module from drupal.org that is up to date.
    const CURRENT: Standing = Standing {
        module_type: ModuleType::Contrib,
        status: Some(UpdateStatus::Current),
        needs_security_update: false,
        not_on_drupal_org: false,
        has_version: true,
        rejected: false,
        unidentified: false,
        missing: false,
    };

    fn with(status: UpdateStatus) -> Standing {
        Standing { status: Some(status), ..CURRENT }
    }

    fn custom() -> Standing {
        Standing { module_type: ModuleType::Custom, status: None, ..CURRENT }
    }

    #[test]
    fn a_status_gives_a_class() {
        for (status, expected) in [
            (UpdateStatus::NotSecure, (Insecure, None)),
            (UpdateStatus::Revoked, (Unsupported, None)),
            (UpdateStatus::NotSupported, (Unsupported, None)),
            (UpdateStatus::NotCurrent, (Secure, None)),
            (UpdateStatus::Current, (Secure, None)),
            (UpdateStatus::NotChecked, (Unknown, Some(NotComparable))),
            (UpdateStatus::Unknown, (Unknown, Some(NotComparable))),
            (UpdateStatus::NotFetched, (Unknown, Some(NotFetched))),
        ] {
            assert_eq!(with(status).class(), expected, "{status}");
            let custom = Standing { module_type: ModuleType::Custom, ..with(status) };
            assert_eq!(custom.class(), expected, "{status}: custom code with a project is judged like any other");
        }
    }

    #[test]
    fn what_needs_an_update_is_insecure_before_it_is_anything_else() {
        for status in [UpdateStatus::NotSupported, UpdateStatus::Revoked, UpdateStatus::Current] {
            let needs = Standing { needs_security_update: true, rejected: true, ..with(status) };
            assert_eq!(needs.class(), (Insecure, None), "{status}: a report that cannot be read leaves it insecure");
        }
        let gone = Standing { rejected: true, ..with(UpdateStatus::NotSupported) };
        assert_eq!(gone.class(), (Unsupported, None));
    }

    #[test]
    fn reasons_come_in_their_order() {
        let all = Standing {
            rejected: true,
            unidentified: true,
            missing: true,
            not_on_drupal_org: true,
            has_version: false,
            ..with(UpdateStatus::Unknown)
        };
        assert_eq!(all.class().1, Some(Rejected));
        let read = Standing { rejected: false, ..all };
        assert_eq!(read.class().1, Some(Unidentified));
        let identified = Standing { unidentified: false, missing: false, ..read };
        assert_eq!(identified.class().1, Some(NotOnDrupalOrg));
        let known = Standing { not_on_drupal_org: false, ..identified };
        assert_eq!(known.class().1, Some(NoVersion));
        assert_eq!(Standing { has_version: true, ..known }.class().1, Some(NotComparable));
        assert_eq!(Standing { status: Some(UpdateStatus::NotFetched), ..known }.class().1, Some(NotFetched));
    }

    #[test]
    fn own_is_custom_code_that_nothing_speaks_against() {
        assert_eq!(custom().class(), (Own, None));
        assert_eq!(Standing { has_version: false, ..custom() }.class(), (Own, None));
        assert_eq!(Standing { rejected: true, ..custom() }.class(), (Unknown, Some(Rejected)));
        assert_eq!(Standing { unidentified: true, ..custom() }.class(), (Unknown, Some(Unidentified)));
        assert_eq!(Standing { missing: true, ..custom() }.class(), (Unknown, Some(NoVersion)));
        // Contrib code of a name that is none, and core before it is judged.
        assert_eq!(Standing { status: None, ..CURRENT }.class(), (Unknown, Some(NotOnDrupalOrg)));
        let core = Standing { module_type: ModuleType::Core, status: None, ..CURRENT };
        assert_eq!(core.class(), (Unknown, Some(NotFetched)));
    }

    #[test]
    fn what_only_claims_to_be_of_core_is_not_judged_with_it() {
        let core =
            Standing { module_type: ModuleType::Core, needs_security_update: true, ..with(UpdateStatus::NotSecure) };
        assert_eq!(core.class(), (Insecure, None));
        assert_eq!(Standing { unidentified: true, ..core }.class(), (Unknown, Some(Unidentified)));
        assert_eq!(Standing { missing: true, ..core }.class(), (Unknown, Some(NoVersion)));
    }

    fn any_standing() -> impl Strategy<Value = Standing> {
        let status = option::of(select(UpdateStatus::ALL.to_vec()));
        (select(ModuleType::ALL.to_vec()), status, any::<[bool; 6]>()).prop_map(|(module_type, status, flags)| {
            let [needs_security_update, not_on_drupal_org, has_version, rejected, unidentified, missing] = flags;
            Standing {
                module_type,
                status,
                needs_security_update,
                not_on_drupal_org,
                has_version,
                rejected,
                unidentified,
                missing,
            }
        })
    }

    proptest! {
        /// Each class by a rule of its own, which does not know the others: exactly one holds, and it is the class.
        #[test]
        fn an_extension_is_in_exactly_one_class(standing in any_standing()) {
            let doubted = standing.unidentified || standing.missing;
            let status = standing.status.filter(|_| !doubted);
            let bad = matches!(status, Some(UpdateStatus::NotSupported | UpdateStatus::Revoked));
            let insecure = status == Some(UpdateStatus::NotSecure) || (status.is_some() && standing.needs_security_update);
            let judged = matches!(status, Some(UpdateStatus::Current | UpdateStatus::NotCurrent)) && !standing.rejected;
            let own = standing.module_type == ModuleType::Custom && standing.status.is_none() && !doubted && !standing.rejected;
            let silent = matches!(
                status,
                None | Some(UpdateStatus::NotChecked | UpdateStatus::Unknown | UpdateStatus::NotFetched)
            );
            let holds = [
                (Insecure, insecure),
                (Unsupported, bad && !insecure),
                (Unknown, (standing.rejected || silent) && !own && !bad && !insecure),
                (Own, own),
                (Secure, judged && !insecure),
            ];
            let (class, reason) = standing.class();
            let found: Vec<CoverageClass> = holds.iter().filter(|(_, holds)| *holds).map(|(class, _)| *class).collect();
            prop_assert_eq!(found, [class]);
            prop_assert_eq!(reason.is_some(), class == Unknown);
        }
    }
}
