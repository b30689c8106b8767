//! The encoding of a body, and where it is broken.

use super::decode::Fields;
use super::item;
use super::json::{FirstItems, for_each_member};
use super::rules::MAX_ITEMS;
use super::scan::scan;

/// The marks that editors and some programs put in front of a text, with the encoding that they stand for.
const MARKS: [(&[u8], &str); 3] = [(b"\xef\xbb\xbf", "UTF-8"), (b"\xff\xfe", "UTF-16"), (b"\xfe\xff", "UTF-16")];

/// The body as text, or what keeps it from being one.
pub(super) fn utf8(bytes: &[u8]) -> Result<&str, String> {
    if let Some((_, encoding)) = MARKS.iter().find(|(mark, _)| bytes.starts_with(mark)) {
        return Err(format!("it begins with a byte-order mark ({encoding}); send UTF-8 without one"));
    }
    std::str::from_utf8(bytes).map_err(|error| {
        let at = error.valid_up_to();
        let place = place_of(bytes, at).map(|place| format!(", {place}")).unwrap_or_default();
        format!("it is not UTF-8: byte {at}{place}, cannot be read")
    })
}

/// What the byte at `at` is part of; `None` where the rest is not JSON either.
fn place_of(bytes: &[u8], at: usize) -> Option<String> {
    // As long as the body, so that everything stays in its place.
    let readable: String = bytes.iter().map(|byte| if byte.is_ascii() { char::from(*byte) } else { '?' }).collect();
    if scan(&readable).too_deep_at.is_some() {
        return None;
    }
    let holds = |part: &str| {
        let start = part.as_ptr() as usize - readable.as_ptr() as usize;
        (start..start + part.len()).contains(&at)
    };
    let modules = Fields::parse(&readable, &["modules"]).ok()?.sent("modules").filter(|modules| holds(modules.get()));
    if let Some(modules) = modules
        && let Ok(list) = serde_json::from_str::<FirstItems<'_, MAX_ITEMS>>(modules.get())
        && let Some(index) = list.items.iter().position(|item| holds(item.get()))
    {
        let name = item::readable(list.items[index]).machine_name.unwrap_or_else(|| "without a name".to_owned());
        return Some(format!("in the module {name} (/modules/{index})"));
    }
    let mut place = None;
    for_each_member(&readable, |key, value| {
        if holds(value.get()) {
            place = Some(format!("in {}", super::problems::shorten(key.get())));
        }
    })
    .ok()?;
    place
}
