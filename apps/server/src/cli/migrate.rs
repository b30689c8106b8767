//! `module-monitor migrate`.

use super::database::DatabaseArgs;
use super::output::print_line;

pub(super) async fn run(database: &DatabaseArgs) -> anyhow::Result<()> {
    match database.connect()?.migrate().await? {
        0 => print_line("The database is up to date."),
        1 => print_line("Ran 1 migration; the database is up to date."),
        n => print_line(&format!("Ran {n} migrations; the database is up to date.")),
    }
}
