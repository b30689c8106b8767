//! Metrics of how sites stand.

use module_monitor_storage::SecurityTotals;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// Gauges of all active sites together, which every node shows alike.
#[derive(Clone, Default)]
pub(crate) struct CoverageMetrics {
    extensions: Family<ClassLabels, Gauge>,
    accepted: Family<ClassLabels, Gauge>,
    unknown: Family<ReasonLabels, Gauge>,
    sites_with_unknown: Gauge,
}

/// Extensions by their class.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ClassLabels {
    class: &'static str,
}

/// Extensions by why they could not be judged.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabels {
    reason: &'static str,
}

impl CoverageMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "extensions",
            "Extensions in use on active sites by class, accepted risks included",
            self.extensions.clone(),
        );
        registry.register("extensions_accepted", "Of those, accepted risks", self.accepted.clone());
        registry.register(
            "extensions_unknown",
            "Extensions in use on active sites that could not be judged, by reason, without accepted risks",
            self.unknown.clone(),
        );
        registry.register("sites_with_unknown", "Active sites with such extensions", self.sites_with_unknown.clone());
    }

    /// Shows the figures of all active sites.
    pub(crate) fn show(&self, totals: &SecurityTotals) {
        for (family, counts) in
            [(&self.extensions, &totals.security.coverage()[..]), (&self.accepted, &totals.security.accepted()[..])]
        {
            for (class, count) in counts {
                family.get_or_create(&ClassLabels { class: class.as_str() }).set((*count).into());
            }
        }
        for (reason, count) in totals.security.unknown_reasons() {
            self.unknown.get_or_create(&ReasonLabels { reason: reason.as_str() }).set(count.into());
        }
        self.sites_with_unknown.set(totals.sites_with_unknown);
    }
}
