//! The rules of single fields, most of them for garde. Each of those puts a stable code in front of its message.

use garde::Error;

use super::problems::Problems;

/// The most items that a report may have.
pub(super) const MAX_ITEMS: usize = 2_000;

/// A text of `min` to `max` Unicode scalar values.
pub(super) fn characters(min: usize, max: usize) -> impl Fn(&String, &()) -> garde::Result {
    move |text, ()| match text.chars().count() {
        found if found < min => fail("length", format!("must have at least {min} characters, found {found}")),
        found if found > max => fail("length", format!("may have at most {max} characters, found {found}")),
        _ => Ok(()),
    }
}

/// A path of at most `max` characters below some folder: it does not lead out of it.
pub(super) fn relative_path(max: usize) -> impl Fn(&String, &()) -> garde::Result {
    let length = characters(0, max);
    move |path, ()| {
        length(path, &())?;
        if path.starts_with('/') || path.split(['/', '\\']).any(|part| part == "..") {
            return fail("format", "must be relative to Drupal's folder: no / in front and no .. in it".to_owned());
        }
        Ok(())
    }
}

/// A list of at most `max` items.
pub(super) fn items<T>(max: usize) -> impl Fn(&Vec<T>, &()) -> garde::Result {
    move |list, ()| match list.len() {
        found if found > max => fail("length", format!("may have at most {max} items, found more")),
        _ => Ok(()),
    }
}

/// A number from `min` to `max`.
pub(super) fn between(min: i64, max: i64) -> impl Fn(&i64, &()) -> garde::Result {
    move |number, ()| {
        if (min..=max).contains(number) {
            return Ok(());
        }
        fail("range", format!("must be from {min} to {max}"))
    }
}

fn fail(code: &str, detail: String) -> garde::Result {
    Err(Error::new(format!("{code}: {detail}")))
}

/// Adds what garde found to the problems of an item.
pub(super) fn add_violations(report: garde::Report, problems: &mut Problems) {
    for (path, error) in report.into_inner() {
        let place = path.to_string().replace('[', "/").replace(']', "");
        let (code, detail) = error.message().split_once(": ").unwrap_or(("invalid", error.message()));
        problems.add(&place, code, || detail.to_owned());
    }
}
