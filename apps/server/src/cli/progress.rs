//! How far a long command is, on standard error.

use std::io::{self, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// A bar on a terminal, plain lines elsewhere. Gone from the terminal once it is dropped.
pub(super) struct Progress {
    bar: ProgressBar,
    what: &'static str,
}

impl Progress {
    /// Progress through so many steps of `what`.
    pub(super) fn of(steps: usize, what: &'static str) -> Self {
        let bar = ProgressBar::new(steps as u64).with_style(style("{prefix} {bar:30} {pos}/{len} {wide_msg}"));
        Self { bar: bar.with_prefix(what), what }
    }

    /// Progress of `what` that nobody knows the end of.
    pub(super) fn open_ended(what: &'static str) -> Self {
        let bar = ProgressBar::no_length().with_style(style("{prefix} {spinner} {pos}")).with_prefix(what);
        bar.enable_steady_tick(Duration::from_millis(100));
        Self { bar, what }
    }

    /// The next step is done, and what came of it.
    pub(super) fn step(&self, came: String) {
        self.bar.inc(1);
        if self.bar.is_hidden() {
            let (done, all) = (self.bar.position(), self.bar.length().unwrap_or_default());
            // Where nobody reads standard error, there is nobody to tell that either.
            let _ = writeln!(io::stderr(), "{} {done}/{all}: {came}", self.what);
        }
        self.bar.set_message(came);
    }

    /// So much is done.
    pub(super) fn reach(&self, done: usize) {
        self.bar.set_position(done as u64);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// The templates are our own, so a fault in one is seen at once: the plain bar is shown.
fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
