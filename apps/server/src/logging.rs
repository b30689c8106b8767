//! Log lines on standard error.

use std::io::IsTerminal;
use std::panic::{PanicHookInfo, set_hook};
use std::time::Duration;

use clap::ValueEnum;
pub use module_monitor_ingestion::Chain;
use tracing_subscriber::EnvFilter;

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    #[default]
    Pretty,
    /// One JSON object a line, for log collectors.
    Json,
}

/// Sends log lines that pass `filter` to standard error, panics among them. A second call changes nothing.
pub fn init(format: LogFormat, filter: EnvFilter) {
    let lines = tracing_subscriber::fmt().with_writer(std::io::stderr).with_env_filter(filter);
    let installed = match format {
        LogFormat::Pretty => lines.with_ansi(std::io::stderr().is_terminal()).with_target(false).try_init(),
        LogFormat::Json => lines.json().flatten_event(true).with_span_list(false).try_init(),
    };
    if installed.is_ok() {
        set_hook(Box::new(log_panic));
    }
}

fn log_panic(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    let text = panic.payload_as_str().unwrap_or("(no text)");
    tracing::error!(place, panic = text, "a bug: the program panicked");
}

/// Milliseconds for a log line, to the microsecond.
pub(crate) fn millis(elapsed: Duration) -> f64 {
    (elapsed.as_secs_f64() * 1e6).round() / 1e3
}
