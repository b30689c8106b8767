//! Which core versions a release works with, as feeds say it: a constraint of Composer.

use crate::CoreVersion;

/// How finished a version is, in Composer's order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Dev,
    Alpha,
    Beta,
    Candidate,
    Release,
}

/// A version as Composer orders it: its three numbers, its stage, and the number of the stage.
type Point = ([u64; 3], Stage, u64);

/// Whether a release that says it works with `core_compatibility` (`^10.3 || ^11`, `>=10.1`, `~8.7.7`, `8.x`) does not
/// work with `core`. Where the constraint cannot be read, nothing is known against the core.
pub fn needs_another_core(core_compatibility: &str, core: &CoreVersion) -> bool {
    let Some((core, _)) = point(core.as_str(), Stage::Release) else { return false };
    let alternatives = core_compatibility.split('|').filter(|alternative| !alternative.trim().is_empty());
    // One that cannot be read may allow the core.
    let mut answers = alternatives.map(|alternative| allows(alternative, core)).peekable();
    answers.peek().is_some() && answers.all(|answer| answer == Some(false))
}

/// Whether constraints that hold together (`>=8 <10`, `9 - 11`) allow a core; `None` where one of them cannot be read.
fn allows(together: &str, core: Point) -> Option<bool> {
    if let Some((from, to)) = together.split_once(" - ") {
        let (_, given) = point(to.trim(), Stage::Release)?;
        // `9 - 11` contains all of 11, and `9 - 11.0.0` ends with that release.
        let below = if given < 3 { within(to.trim(), core)? || compare("<", to.trim(), core)? } else { false };
        return Some(compare(">=", from.trim(), core)? && (below || compare("<=", to.trim(), core)?));
    }
    let mut words = together.split([' ', ',', '\t']).filter(|word| !word.is_empty());
    let mut all = true;
    while let Some(word) = words.next() {
        let version = word.trim_start_matches(['<', '>', '=', '!', '^', '~']);
        let operator = &word[..word.len() - version.len()];
        // There may be a space behind the operator.
        let version = if version.is_empty() { words.next()? } else { version };
        all &= compare(operator, version, core)?;
    }
    Some(all)
}

/// Whether one operator and version allow a core.
fn compare(operator: &str, version: &str, core: Point) -> Option<bool> {
    // The stability at the end (`^10@beta`) is about what Composer may install.
    let version = version.split('@').next()?;
    let branch = version.strip_suffix(".x").or_else(|| version.strip_suffix(".*"));
    match (operator, branch) {
        ("", Some(branch)) => return within(branch, core),
        ("", None) if version == "*" => return Some(true),
        _ => {}
    }
    // What is on the way to the lower end is within the range, and what is on the way to the upper end is without.
    let end_stage = if matches!(operator, "<" | ">=" | "^" | "~") { Stage::Dev } else { Stage::Release };
    let (end, given) = point(version, end_stage)?;
    Some(match operator {
        "" | "=" | "==" => core == end,
        "!=" => core != end,
        ">" => core > end,
        ">=" => core >= end,
        "<" => core < end,
        "<=" => core <= end,
        "^" => core >= end && core < after(end, 1),
        "~" => core >= end && core < after(end, given.saturating_sub(1).max(1)),
        _ => return None,
    })
}

/// Whether a core begins with the numbers of a branch such as `8` or `10.3`.
fn within(branch: &str, core: Point) -> Option<bool> {
    let (start, given) = point(branch, Stage::Dev)?;
    Some(core >= start && core < after(start, given))
}

/// The first version with another number at one of the first `places` places.
fn after((mut numbers, ..): Point, places: usize) -> Point {
    for (place, number) in numbers.iter_mut().enumerate() {
        *number = match place + 1 {
            counted if counted < places => *number,
            counted if counted == places => number.saturating_add(1),
            _ => 0,
        };
    }
    (numbers, Stage::Dev, 0)
}

/// A version of one to three numbers and how many it has; without a suffix it is of the stage that is given.
fn point(version: &str, stage: Stage) -> Option<(Point, usize)> {
    // Commits since a version (`11.0.0-beta1+5-dev`) leave it where it is.
    let version = version.split('+').next()?;
    let (leading, suffix) = version.split_once('-').map_or((version, None), |(leading, word)| (leading, Some(word)));
    let mut numbers = [0; 3];
    let mut given = 0;
    for part in leading.split('.') {
        *numbers.get_mut(given)? = number(part)?;
        given += 1;
    }
    let Some(word) = suffix else { return Some(((numbers, stage, 0), given)) };
    let (name, digits) = word.split_at(word.trim_end_matches(|c: char| c.is_ascii_digit()).len());
    let stage = match name.to_ascii_lowercase().as_str() {
        "dev" => Stage::Dev,
        "alpha" => Stage::Alpha,
        "beta" => Stage::Beta,
        "rc" => Stage::Candidate,
        _ => return None,
    };
    Some(((numbers, stage, number(digits).unwrap_or(0)), given))
}

fn number(text: &str) -> Option<u64> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_needs(constraint: &str, works: &[&str], does_not: &[&str]) {
        let needs = |core: &&str| needs_another_core(constraint, &CoreVersion::parse(core).unwrap());
        let wrong: Vec<_> = works.iter().filter(|core| needs(core)).collect();
        assert!(wrong.is_empty(), "{constraint} allows {wrong:?}");
        let wrong: Vec<_> = does_not.iter().filter(|core| !needs(core)).collect();
        assert!(wrong.is_empty(), "{constraint} does not allow {wrong:?}");
    }

    #[test]
    fn constraints_as_feeds_have_them() {
        assert_needs("^8.8 || ^9", &["8.8.0", "8.9.20", "9.0.0", "9.5.11"], &["8.7.14", "7.103", "10.0.0"]);
        assert_needs("^10.3 || ^11", &["10.3.0", "10.6.1", "11.4.5"], &["10.2.9", "9.5.11", "12.0.0"]);
        assert_needs(">=10.1", &["10.1.0", "11.2.0", "12.0.0"], &["10.0.11", "9.5.11"]);
        assert_needs("~8.7.7", &["8.7.7", "8.7.14"], &["8.7.6", "8.8.0"]);
        assert_needs("~10.3", &["10.3.0", "10.6.0"], &["10.2.0", "11.0.0"]);
        assert_needs("~10", &["10.0.0", "10.6.0"], &["9.5.0", "11.0.0"]);
        assert_needs("8.x", &["8.0.0", "8.9.20"], &["7.103", "9.0.0"]);
        assert_needs("7.x", &["7.0", "7.103", "7.104-dev"], &["8.0.0", "10.3.6"]);
        assert_needs("10.3.x", &["10.3.0", "10.3.14"], &["10.4.0", "10.2.9"]);
        assert_needs("*", &["7.0", "11.4.5"], &[]);
        assert_needs("10.3.6", &["10.3.6"], &["10.3.5", "10.3.7", "10.3.6-rc1"]);
    }

    #[test]
    fn constraints_that_hold_together() {
        for constraint in [">=8.8 <10", ">=8.8,<10", ">= 8.8, < 10", "^8.8 | ^9"] {
            assert_needs(constraint, &["8.8.0", "9.5.11"], &["8.7.0", "10.0.0"]);
        }
        assert_needs("9 - 11", &["9.0.0", "10.3.6", "11.4.5"], &["8.9.20", "12.0.0"]);
        assert_needs("9 - 11.0.0", &["9.0.0", "11.0.0"], &["11.0.1"]);
        assert_needs(">10.2.0 !=10.3.5 <=10.3.6", &["10.2.1", "10.3.6"], &["10.2.0", "10.3.5", "10.3.7"]);
    }

    #[test]
    fn what_is_on_the_way_to_a_version_is_where_composer_puts_it() {
        assert_needs("^11", &["11.0.0-alpha1", "11.0.0-rc1", "11.4-dev"], &["12.0.0-alpha1"]);
        assert_needs(">=10.1 <11", &["10.1.0-beta1"], &["11.0.0-rc1", "11.0.0-beta1+5-dev"]);
        assert_needs("^10.3.0-beta2", &["10.3.0-beta2", "10.3.0-rc1", "10.3.0"], &["10.3.0-beta1", "10.3.0-alpha9"]);
        assert_needs("^10@beta", &["10.0.0-alpha1", "10.6.0"], &["9.5.0"]);
    }

    #[test]
    fn what_cannot_be_read_is_said_of_no_core() {
        for constraint in ["", " ", "||", "ten", "^ten", "^10.3.1.2", "=>10", "^", "8.x-1.0", "<9 || later", "^10.x"] {
            assert_needs(constraint, &["10.3.6", "7.103"], &[]);
        }
        assert_needs(&format!("^{}", "9".repeat(40)), &[], &["10.3.6"]);
    }
}
