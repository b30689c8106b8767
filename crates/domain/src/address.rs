//! Addresses of the web.

use crate::checked_text::checked_text;

/// The text is not an address of the web.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it must be an address such as https://example.org, of at most 2048 characters")]
pub struct AddressError;

checked_text! {
    /// The address of a site, as an administrator gives it: `http` or `https`, a host, no spaces and no control
    /// characters, at most 2048 characters. What a site reports of itself does not have to follow it.
    SiteUrl, web_address, AddressError
}

checked_text! {
    /// The page about a module, as an administrator has corrected it; the same rule as for [`SiteUrl`].
    ProjectLink, web_address, AddressError
}

fn web_address(text: &str) -> Result<&str, AddressError> {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or_default();
    let clean = !text.chars().any(|c| c.is_control() || c.is_whitespace());
    let fits = !host.is_empty() && !host.starts_with('/') && clean && text.chars().count() <= 2048;
    fits.then_some(text).ok_or(AddressError)
}

/// Whether two addresses are of the same place, whatever the scheme, and with or without `www.`, the port that the scheme
/// has anyway, and a slash at the end. Hosts are compared without case; all else counts as it is written.
pub(crate) fn same_address(a: &str, b: &str) -> bool {
    a == b || place(a) == place(b)
}

/// Host with port, and what follows it.
fn place(address: &str) -> (String, &str) {
    let (scheme, rest) = address.split_once("://").unwrap_or(("", address));
    let (host, rest) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let host = host.to_lowercase();
    let default_port = match scheme.to_ascii_lowercase().as_str() {
        "http" => ":80",
        _ => ":443",
    };
    let host = host.strip_prefix("www.").unwrap_or(&host);
    (host.strip_suffix(default_port).unwrap_or(host).to_owned(), rest.trim_end_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_place_has_many_addresses() {
        let place = "https://example.org/city";
        for same in [
            "http://example.org/city",
            "HTTPS://www.Example.org/city/",
            "https://example.org:443/city",
            "http://www.example.org:80/city/",
            "example.org/city",
        ] {
            assert!(same_address(place, same) && same_address(same, place), "{same}");
        }
        assert!(same_address("https://example.org", "http://www.example.org:80/"));
        assert!(same_address("https://bücher.example", "https://BÜCHER.example/"));
        for other in [
            "https://example.org/City",
            "https://example.org",
            "https://example.org:8443/city",
            "https://example.org:80/city",
            "http://example.org:443/city",
            "https://stage.example.org/city",
            "https://wwwexample.org/city",
            "https://example.org/city?site=2",
            "https://example.org/city/sub",
            "",
        ] {
            assert!(!same_address(place, other) && !same_address(other, place), "{other}");
        }
    }

    #[test]
    fn addresses_are_of_the_web() {
        let longest = format!("https://{}", "é".repeat(2040));
        for good in ["https://example.org", "http://x/y?z", "https://bücher.example/", &longest] {
            assert_eq!(SiteUrl::parse(good).as_ref().map(SiteUrl::as_str), Ok(good));
            assert!(ProjectLink::parse(good).is_ok());
        }
        let too_long = format!("{longest}a");
        for bad in ["", "example.org", "https://", "https:///x", "ftp://x", "https://a b", "https://a\0", &too_long] {
            assert_eq!(SiteUrl::parse(bad), Err(AddressError), "{bad:?}");
        }
    }
}
