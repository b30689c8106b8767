//! `module-monitor check`.

use super::database::DatabaseArgs;
use super::output::{count_of, print_line};

pub(super) const ABOUT: &str = "\
Reads every row of the sites and locks none; on a large database that takes a while. The figures of sites are compared with
their rows by `module-monitor security recount --check`.";

/// Fails where the database names what is not there.
pub(super) async fn run(database: &DatabaseArgs) -> anyhow::Result<()> {
    let orphans = database.open().await?.orphans().await?;
    for orphaned in &orphans {
        print_line(&format!("{}: names what is not there in {}", orphaned.reference, count_of(orphaned.rows, "row")))?;
    }
    anyhow::ensure!(
        orphans.is_empty(),
        "the database contradicts itself; put a backup back, and report what you have seen"
    );
    print_line("Every row names what is there.")
}
