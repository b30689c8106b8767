//! Which extensions of a site are in use.

use std::collections::{BTreeSet, HashMap};

use crate::{Extension, MachineName};

/// An extension that a site has, as far as it matters for what is in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Installed<'a> {
    /// The name it is known by.
    pub machine_name: &'a MachineName,
    /// Module, theme or profile.
    pub extension: Extension,
    /// Whether it is enabled.
    pub enabled: bool,
    /// The theme that a theme builds on.
    pub base_theme: Option<&'a MachineName>,
}

/// The names of the extensions that are in use: those that are enabled, and the base themes of enabled themes over any
/// number of steps, be they disabled or hidden. As in Drupal, only what the site has is in use, only themes have base
/// themes, and themes that build on each other end where they began.
pub fn in_use<'a>(extensions: &[Installed<'a>]) -> BTreeSet<&'a MachineName> {
    let themes = extensions.iter().filter(|installed| installed.extension == Extension::Theme);
    let base_themes: HashMap<&MachineName, Option<&MachineName>> =
        themes.map(|theme| (theme.machine_name, theme.base_theme)).collect();
    let mut found = BTreeSet::new();
    for installed in extensions.iter().filter(|installed| installed.enabled) {
        found.insert(installed.machine_name);
        let mut theme = installed.machine_name;
        // What was found before has been followed, or will be because it is enabled.
        while let Some(base) = base_themes.get(theme).copied().flatten()
            && base_themes.contains_key(base)
            && found.insert(base)
        {
            theme = base;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The names in use of extensions written as `theme:name:base`, `module:name:` and the like; `+` is enabled.
    fn names(lines: &[&str]) -> Vec<String> {
        let name = |text: &str| MachineName::parse(text).ok();
        let read: Vec<_> = lines
            .iter()
            .map(|line| {
                let parts: Vec<&str> = line.trim_start_matches('+').split(':').collect();
                (
                    line.starts_with('+'),
                    Extension::from_name(parts[0]).unwrap(),
                    name(parts[1]).unwrap(),
                    name(parts[2]),
                )
            })
            .collect();
        let extensions: Vec<Installed<'_>> = read
            .iter()
            .map(|(enabled, extension, machine_name, base_theme)| Installed {
                machine_name,
                extension: *extension,
                enabled: *enabled,
                base_theme: base_theme.as_ref(),
            })
            .collect();
        in_use(&extensions).into_iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_is_enabled_is_in_use_and_nothing_else_without_a_theme() {
        let lines =
            ["+module:token:", "module:pathauto:", "theme:olivero:stable", "theme:stable:", "+profile:standard:"];
        assert_eq!(names(&lines), ["standard", "token"]);
    }

    #[test]
    fn base_themes_of_enabled_themes_are_in_use_over_any_number_of_steps() {
        let chain: Vec<String> = (0..500).map(|n| format!("theme:t{n:03}:t{:03}", n + 1)).collect();
        let mut lines: Vec<&str> = chain.iter().map(String::as_str).collect();
        lines.extend(["+theme:top:t000", "theme:t500:", "theme:other:t500"]);
        let found = names(&lines);
        assert_eq!(found.len(), 502);
        assert!(!found.contains(&"other".to_owned()));
    }

    #[test]
    fn a_disabled_theme_between_two_enabled_ones_is_in_use_in_any_order() {
        let mut lines = ["+theme:a:b", "theme:b:c", "+theme:c:d", "theme:d:"];
        assert_eq!(names(&lines), ["a", "b", "c", "d"]);
        lines.reverse();
        assert_eq!(names(&lines), ["a", "b", "c", "d"]);
    }

    #[test]
    fn themes_that_build_on_each_other_end() {
        assert_eq!(names(&["+theme:a:b", "theme:b:c", "theme:c:b"]), ["a", "b", "c"]);
        assert_eq!(names(&["+theme:a:a"]), ["a"]);
        assert!(names(&["theme:a:b", "theme:b:a"]).is_empty());
    }

    #[test]
    fn only_themes_that_the_site_has_are_base_themes() {
        assert_eq!(names(&["+theme:a:gone"]), ["a"]);
        assert_eq!(names(&["+theme:a:token", "module:token:"]), ["a"]);
        assert_eq!(names(&["+module:token:stable", "theme:stable:"]), ["token"]);
    }
}
