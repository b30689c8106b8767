//! The `module-monitor` binary.

use std::process::ExitCode;

use tikv_jemallocator::Jemalloc;

/// SQLite's, too. Twelve reports of 15 MiB of words, one after the other, on SQLite in a debug build: 228 MiB at the peak,
/// and no more after forty; with glibc's 460 MiB after ten, because each of its arenas keeps what it had once; with
/// mimalloc 290 MiB, but 264 MiB after thirty bodies at once that unpack to more than they may, where this has less than 150.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

// Everything of the library that is spawned runs on this runtime; actix brings a single-threaded one per worker.
#[tokio::main(flavor = "multi_thread")]
async fn main() -> ExitCode {
    module_monitor_server::cli::main().await
}
