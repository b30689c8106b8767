//! A release history in drupal.org's XML.

#![no_main]

use std::collections::HashSet;

use libfuzzer_sys::fuzz_target;
use module_monitor_domain::Feed;
use module_monitor_ingestion::{parse_any_history, parse_history};

fuzz_target!(|document: &[u8]| {
    match parse_any_history(document) {
        Ok(history) => {
            assert_eq!(parse_history(document, history.feed).as_ref(), Ok(&history));
            let versions: HashSet<&str> = history.releases.iter().map(|release| release.version.as_str()).collect();
            assert_eq!(versions.len(), history.releases.len(), "each version once");
            assert!(history.releases.iter().all(|release| !release.link.trim().is_empty()));
            assert!(!history.releases.iter().any(|release| release.version.contains('\0')));
        }
        Err(error) => {
            assert!(!error.to_string().contains('\n'), "{error}");
            assert!(parse_history(document, Feed::Drupal7).is_err() && parse_history(document, Feed::Current).is_err());
        }
    }
});
