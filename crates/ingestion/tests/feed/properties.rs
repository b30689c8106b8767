//! What holds for every document.

use module_monitor_domain::{Feed, ProjectName, ProjectStatus, Release, ReleaseHistory, ReleaseStatus, Support};
use module_monitor_ingestion::{parse_any_history, parse_history};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use crate::support::{plain, written};

/// Text as XML can carry it through unchanged, and not blank.
fn text() -> impl Strategy<Value = String> {
    "[ -~äß€\u{1f9e9}]{0,20}[!-~]"
}

fn some_release() -> impl Strategy<Value = Release> {
    let flags = (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>());
    (flags, option::of(any::<i64>()), text(), option::of(any::<bool>()), option::of(text())).prop_map(
        |((published, insecure, unsupported, security_update), date, link, covered, core_compatibility)| Release {
            status: if published { ReleaseStatus::Published } else { ReleaseStatus::Unpublished },
            date,
            link,
            insecure,
            unsupported,
            security_update,
            covered,
            core_compatibility,
            ..plain("")
        },
    )
}

fn some_support() -> impl Strategy<Value = Support> {
    (option::of(text()), option::of(text()), option::of(text()), option::of(text())).prop_map(
        |(branches, majors, recommended_major, default_major)| Support {
            branches,
            majors,
            recommended_major,
            default_major,
        },
    )
}

fn some_history() -> impl Strategy<Value = ReleaseHistory> {
    let head = ("[a-z0-9_]{1,20}", any::<bool>(), option::of(text()), option::of(text()), option::of(text()));
    (head, some_support(), vec(some_release(), 0..20), 0..5_usize).prop_map(
        |((project, old, title, project_type, link), support, mut releases, status)| {
            for (n, release) in releases.iter_mut().enumerate() {
                release.version = format!("{n}.x-1.0");
            }
            let states = ["published", "insecure", "unpublished", "revoked", "unsupported"];
            ReleaseHistory {
                title,
                project_type,
                status: ProjectStatus::from_name(states[status]).expect("a status"),
                link,
                support,
                releases,
                ..ReleaseHistory::empty(
                    ProjectName::parse(&project).expect("a name"),
                    if old { Feed::Drupal7 } else { Feed::Current },
                )
            }
        },
    )
}

/// Pieces of documents in any order.
fn tag_soup() -> impl Strategy<Value = String> {
    let pieces = [
        "<project>",
        "</project>",
        "<short_name>",
        "</short_name>",
        "token",
        "<releases>",
        "</releases>",
        "<release>",
        "</release>",
        "<version>",
        "</version>",
        "<terms>",
        "<term>",
        "</term>",
        "<error>",
        "</error>",
        "&amp;",
        "&",
        "<![CDATA[",
        "]]>",
        "<!--",
        "-->",
        "<?xml version=\"1.0\"?>",
        "<!DOCTYPE a>",
        "<x/>",
        "\"",
        "'",
        "\u{0}",
        ">",
        "<",
    ];
    vec(prop::sample::select(pieces.to_vec()), 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn what_is_written_is_read(history in some_history()) {
        let document = written(&history);
        prop_assert_eq!(parse_any_history(document.as_bytes()), Ok(history.clone()));
        prop_assert_eq!(parse_history(document.as_bytes(), history.feed), Ok(history));
    }

    #[test]
    fn no_bytes_make_it_panic_and_every_complaint_is_a_line(bytes in vec(any::<u8>(), 0..300)) {
        if let Err(error) = parse_any_history(&bytes[..]) {
            prop_assert!(!error.to_string().contains('\n'));
        }
    }

    #[test]
    fn no_mixture_of_tags_makes_it_panic(document in tag_soup()) {
        if let Err(error) = parse_any_history(document.as_bytes()) {
            prop_assert!(!error.to_string().contains('\n'));
        }
    }

    #[test]
    fn one_changed_byte_makes_it_panic_no_more(history in some_history(), at in any::<prop::sample::Index>(), byte: u8) {
        let mut document = written(&history).into_bytes();
        let at = at.index(document.len());
        document[at] = byte;
        let _ = parse_any_history(&document[..]);
    }
}
