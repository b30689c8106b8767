//! A request body, read strictly and leniently.

#![no_main]

use libfuzzer_sys::fuzz_target;
use module_monitor_domain::Reported;
use module_monitor_ingestion::{Handling, RequestError, SyncRequest};

/// One hundred, and one that counts the rest.
const MAX_ERRORS: usize = 101;

fuzz_target!(|body: &[u8]| {
    let strict = SyncRequest::from_json(body, Handling::Strict);
    let lenient = SyncRequest::from_json(body, Handling::Lenient);
    for result in [&strict, &lenient] {
        match result {
            Ok(request) => check(request),
            Err(error) => check_error(error),
        }
    }
    if let (Ok(request), Some(glanced)) = (&strict, SyncRequest::glance(body)) {
        assert_eq!(&glanced.report.head, request.report.head());
        assert!(request.report.modules_hash().is_none_or(|hash| hash == glanced.report.modules));
    }
    match (&strict, &lenient) {
        (Ok(strict), Ok(lenient)) => assert_eq!(strict, lenient),
        (Ok(_), Err(error)) => panic!("accepted strictly and not leniently: {error:?}"),
        (Err(_), Ok(lenient)) => assert!(!lenient.report.rejected().is_empty(), "nothing was wrong"),
        (Err(strict), Err(lenient)) => {
            let malformed = |error: &RequestError| matches!(error, RequestError::Malformed(_));
            assert_eq!(malformed(strict), malformed(lenient));
        }
    }
});

fn check(request: &SyncRequest) {
    let report = &request.report;
    assert!(!report.modules().is_empty());
    assert!(report.modules().is_sorted_by(|a, b| a.machine_name < b.machine_name), "each once, in order");
    assert!(!report.site_info().json.contains('\0'));
    assert!(!report.modules().iter().any(|module| module.details.name.contains('\0')));
    report.fingerprint();
}

fn check_error(error: &RequestError) {
    let RequestError::Invalid(errors) = error else { return };
    assert!((1..=MAX_ERRORS).contains(&errors.len()), "{}", errors.len());
    for error in errors {
        assert!(error.pointer.is_empty() || error.pointer.starts_with('/'), "{error:?}");
        assert!(!error.code.is_empty() && !error.detail.is_empty(), "{error:?}");
    }
}
