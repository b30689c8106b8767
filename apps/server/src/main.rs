//! The `module-monitor` binary.

use std::process::ExitCode;

// Everything of the library that is spawned runs on this runtime; actix brings a single-threaded one per worker.
#[tokio::main(flavor = "multi_thread")]
async fn main() -> ExitCode {
    module_monitor_server::cli::main().await
}
