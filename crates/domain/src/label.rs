//! What administrators call things.

use crate::checked_text::checked_text;

/// The text is not one line of 1 to 255 characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it must have 1 to 255 characters on one line")]
pub struct LabelError;

/// The text is empty, too long, or has U+0000 in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it must have 1 to 10000 characters, none of them U+0000")]
pub struct DescriptionError;

checked_text! {
    /// What people call a site: 1 to 255 characters without control characters. Spaces around it are left out.
    SiteName, one_line, LabelError
}

checked_text! {
    /// What an administrator says a site is for, such as `production`; the same rule as for [`SiteName`]. What a site
    /// reports of itself does not have to follow it.
    Environment, one_line, LabelError
}

checked_text! {
    /// What people call a key; the same rule as for [`SiteName`].
    KeyName, one_line, LabelError
}

checked_text! {
    /// What people call a module, as an administrator has corrected it; the same rule as for [`SiteName`].
    ModuleTitle, one_line, LabelError
}

checked_text! {
    /// What a module does, as an administrator has corrected it: 1 to 10000 characters on any number of lines.
    Description, any_lines, DescriptionError
}

fn one_line(text: &str) -> Result<&str, LabelError> {
    let line = text.trim();
    let fits = !line.is_empty() && line.chars().count() <= 255 && !line.chars().any(char::is_control);
    fits.then_some(line).ok_or(LabelError)
}

fn any_lines(text: &str) -> Result<&str, DescriptionError> {
    let fits = !text.is_empty() && text.chars().count() <= 10_000 && !text.contains('\0');
    fits.then_some(text).ok_or(DescriptionError)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_one_line_and_trimmed() {
        assert_eq!(SiteName::parse(" City library\n").map(|name| name.to_string()).as_deref(), Ok("City library"));
        assert!(SiteName::parse(&"é".repeat(255)).is_ok(), "lengths count characters, not bytes");
        for bad in ["", " ", "a\nb", "a\0", "a\u{85}b", &"é".repeat(256)] {
            assert_eq!(SiteName::parse(bad), Err(LabelError), "{bad:?}");
        }
        assert_eq!("production".parse::<Environment>().map(String::from).as_deref(), Ok("production"));
        assert!(KeyName::parse("first\tkey").is_err() && ModuleTitle::parse("").is_err());
    }

    #[test]
    fn descriptions_have_lines_and_keep_their_spaces() {
        assert_eq!(Description::parse(" a\nb ").as_ref().map(Description::as_str), Ok(" a\nb "));
        assert!(Description::parse(&"é".repeat(10_000)).is_ok());
        for bad in ["", "a\0b", &"é".repeat(10_001)] {
            assert_eq!(Description::parse(bad), Err(DescriptionError));
        }
    }
}
