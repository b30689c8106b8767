//! The rules of a sync, one example each: what a report is, its fingerprint, the decision, the diff and the plan.

mod decide;
mod diff;
mod fingerprint;
mod plan;
mod report;
mod support;
