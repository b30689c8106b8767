//! Making the jobs of one site fail, or never end.

use module_monitor_tests::api::TestSite;
use module_monitor_tests::backends::Backend;
use module_monitor_tests::process::wait_for;
use module_monitor_tests::raw::RawConnection;

/// What happens to the modules of a site when a job writes them.
#[derive(Clone, Copy)]
pub(crate) enum Sabotage {
    /// The database refuses them.
    Refuse,
    /// The database thinks about them for longer than any test.
    Hang,
}

impl Sabotage {
    /// From now on new modules of `site` cannot be written.
    pub(crate) async fn of(self, raw: &mut RawConnection, site: &TestSite) {
        self.when(raw, site, "true").await;
    }

    /// From now on that module of `site` cannot be written when it is new there.
    pub(crate) async fn of_module(self, raw: &mut RawConnection, site: &TestSite, module: &str) {
        let named =
            format!("EXISTS (SELECT 1 FROM modules m WHERE m.id = NEW.module_id AND m.machine_name = '{module}')");
        self.when(raw, site, &named).await;
    }

    async fn when(self, raw: &mut RawConnection, site: &TestSite, condition: &str) {
        let id = &site.id;
        let sql = match raw.backend() {
            Backend::Sqlite => format!(
                "CREATE TRIGGER sabotage BEFORE INSERT ON site_modules WHEN NEW.site_id = {id} AND {condition} BEGIN {}; END",
                match self {
                    Self::Refuse => "SELECT RAISE(ABORT, 'sabotage')",
                    Self::Hang => {
                        "SELECT max(n) FROM (WITH RECURSIVE c(n) AS (VALUES(1) UNION ALL SELECT n + 1 FROM c) SELECT n FROM c)"
                    }
                }
            ),
            Backend::Postgres => format!(
                "CREATE FUNCTION sabotage() RETURNS trigger LANGUAGE plpgsql AS $$
                 BEGIN IF {condition} THEN {}; END IF; RETURN NEW; END $$;
                 CREATE TRIGGER sabotage BEFORE INSERT ON site_modules
                 FOR EACH ROW WHEN (NEW.site_id = {id}) EXECUTE FUNCTION sabotage()",
                match self {
                    Self::Refuse => "RAISE EXCEPTION 'sabotage'",
                    Self::Hang => "PERFORM pg_sleep(3600)",
                }
            ),
        };
        raw.execute(&sql).await;
    }

    /// Everything works again.
    pub(crate) async fn end(raw: &mut RawConnection) {
        raw.execute(match raw.backend() {
            Backend::Sqlite => "DROP TRIGGER sabotage",
            Backend::Postgres => "DROP TRIGGER sabotage ON site_modules; DROP FUNCTION sabotage",
        })
        .await;
    }

    /// Waits until the database of a worker thinks; SQLite thinks in the worker itself.
    pub(crate) async fn has_begun(raw: &mut RawConnection) {
        if raw.backend() == Backend::Sqlite {
            return;
        }
        wait_for("the database thinks", async || {
            let sleeping = "SELECT count(*) FROM pg_stat_activity
                            WHERE datname = current_database() AND wait_event = 'PgSleep'";
            (raw.number(sleeping).await > 0).then_some(())
        })
        .await;
    }

    /// PostgreSQL goes on with the statement of a client that has died until it notices.
    pub(crate) async fn forget_the_dead(raw: &mut RawConnection) {
        if raw.backend() == Backend::Postgres {
            raw.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                 WHERE datname = current_database() AND wait_event = 'PgSleep'",
            )
            .await;
        }
    }
}
