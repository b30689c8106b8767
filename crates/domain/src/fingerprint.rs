//! The hashes by which what is known is known again: of a reported item, and of the state that a report leaves behind.

use sha2::{Digest, Sha256};

use crate::{CoreVersion, MachineName, ReportedModule, SiteDetails};

/// Changes whenever what is hashed changes, so that an old fingerprint never matches by accident.
const FORMAT: u8 = 3;

/// The first 128 bits of a SHA-256 over everything of a reported item, besides its name, that is stored or judged. With
/// the same hash it leaves the same row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ItemHash([u8; 16]);

impl ItemHash {
    /// The hash of an item.
    pub fn of(module: &ReportedModule) -> Self {
        let mut hash = Canonical(Sha256::new());
        hash.0.update([FORMAT]);
        hash.module(module);
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash.0.finalize()[..16]);
        Self(bytes)
    }

    /// A hash as it was stored; `None` where it is none.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// What is stored.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// A SHA-256 over the Drupal version of a full report and the names and hashes of its items. Two reports with the same
/// fingerprint leave the same rows, so the second one has nothing to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 33]);

impl Fingerprint {
    /// The fingerprint of items, sorted by name, each name once, on a site with that Drupal version.
    pub(crate) fn of<'a>(
        drupal_version: &CoreVersion,
        items: impl ExactSizeIterator<Item = (&'a MachineName, ItemHash)>,
    ) -> Self {
        let mut hash = Canonical(Sha256::new());
        hash.text(drupal_version.as_str());
        hash.count(items.len());
        for (name, item) in items {
            hash.text(name.as_str());
            hash.0.update(item.0);
        }
        let mut bytes = [FORMAT; 33];
        bytes[1..].copy_from_slice(&hash.0.finalize());
        Self(bytes)
    }

    /// A fingerprint as it was stored; `None` when it is of another format.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let bytes: [u8; 33] = bytes.try_into().ok()?;
        (bytes[0] == FORMAT).then_some(Self(bytes))
    }

    /// The format version, then the hash.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// The bytes of the list `modules` of a full report, known by a cryptographic hash. With the same one on the same Drupal
/// version a report has the same items, and so the same [`Fingerprint`], and nobody needs to read them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ModulesHash([u8; 34]);

impl ModulesHash {
    /// The hash of bytes that are read by that version of the decoder. Another decoder, and another format of what is
    /// made of the items, may make something else of the same bytes, so both are a part of it.
    pub fn new(decoder: u8, hash: [u8; 32]) -> Self {
        let mut bytes = [FORMAT; 34];
        bytes[1] = decoder;
        bytes[2..].copy_from_slice(&hash);
        Self(bytes)
    }

    /// What is stored.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Feeds values to the hash so that different values never feed the same bytes: every text carries its length, every
/// list its count, every option a mark.
struct Canonical(Sha256);

impl Canonical {
    fn count(&mut self, n: usize) {
        self.0.update((n as u64).to_le_bytes());
    }

    fn text(&mut self, text: &str) {
        self.count(text.len());
        self.0.update(text.as_bytes());
    }

    fn flag(&mut self, flag: bool) {
        self.0.update([u8::from(flag)]);
    }

    fn option_text(&mut self, text: Option<&str>) {
        self.flag(text.is_some());
        self.text(text.unwrap_or_default());
    }

    fn option_number(&mut self, number: Option<i64>) {
        self.flag(number.is_some());
        self.0.update(number.unwrap_or_default().to_le_bytes());
    }

    fn list(&mut self, list: &[String]) {
        self.count(list.len());
        list.iter().for_each(|item| self.text(item));
    }

    fn module(&mut self, module: &ReportedModule) {
        self.text(module.module_type.as_str());
        self.text(module.extension.as_str());
        self.option_text(module.version.as_ref().map(|v| v.as_str()));
        self.flag(module.enabled);
        self.option_text(module.project.as_ref().map(|p| p.as_str()));
        self.option_number(module.datestamp);
        self.option_number(module.schema_version.map(i64::from));
        self.flag(module.security_coverage);
        let details = &module.details;
        self.text(&details.name);
        self.option_text(details.package.as_deref());
        self.list(&details.core_compatibility);
        self.list(&details.dependencies);
        self.option_text(details.description.as_deref());
        self.option_text(details.project_link.as_deref());
        self.site_details(&module.site_details);
    }

    fn site_details(&mut self, details: &SiteDetails) {
        self.option_text(details.reported_version.as_deref());
        self.option_text(details.path.as_deref());
        self.option_text(details.composer_name.as_deref());
        self.option_text(details.composer_version.as_deref());
        self.option_text(details.composer_reference.as_deref());
        self.option_text(details.source.map(|source| source.as_str()));
        self.option_text(details.base_theme.as_ref().map(|theme| theme.as_str()));
        self.flag(details.hidden);
        self.flag(details.missing);
    }
}
