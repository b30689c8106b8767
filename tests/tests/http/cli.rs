//! The command line, with the real binary.

use module_monitor_tests::api::TestSite;
use module_monitor_tests::backends::TestDatabase;
use module_monitor_tests::on_both_backends;
use module_monitor_tests::payloads::{contribs, full};
use module_monitor_tests::process::{Finished, ServerProcess, command, finish, run, wait_for};
use module_monitor_tests::server::new_site;
use serde_json::Value;

on_both_backends!(
    a_site_is_registered_reports_and_its_key_is_revoked,
    the_database_is_named_in_many_ways,
    keys_are_made_for_sites_that_exist,
    sites_are_listed_by_what_they_need,
    what_is_named_and_not_there_is_found,
);

fn json(finished: &Finished) -> Value {
    assert_eq!(finished.code, 0, "{finished:?}");
    serde_json::from_str(&finished.stdout).unwrap_or_else(|error| panic!("{error}: {finished:?}"))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

async fn a_site_is_registered_reports_and_its_key_is_revoked(database: TestDatabase) {
    let url = &database.url;
    let cli = async |args: &[&str]| run(url, args).await;
    assert_eq!(cli(&["migrate"]).await.code, 0);
    let again = cli(&["migrate"]).await;
    assert_eq!((again.code, again.stdout.as_str()), (0, "The database is up to date.\n"));

    let site =
        json(&cli(&["site", "create", "--name", "City library", "--url", "https://library.example", "--json"]).await);
    assert_eq!(site.as_object().map(|o| o.len()), Some(2), "{site}");
    let site = TestSite { id: site["site_id"].to_string(), key: text(&site["api_key"]) };
    let server = ServerProcess::start(url, &[]).await;
    assert_eq!(server.api.sync(&site, &full(contribs("m", 3, "1.0.0"))).await.counts(), (3, 0, 0));

    let key =
        json(&cli(&["key", "create", "--site", &site.id, "--name", "second", "--expires-in", "90d", "--json"]).await);
    assert_eq!(key.as_object().map(|o| o.len()), Some(2), "{key}");
    let second = text(&key["api_key"]);
    server.api.get(&second, &site.modules("")).await.ok();
    let admin = json(&cli(&["key", "create", "--admin", "--json"]).await);
    server.api.get(&text(&admin["api_key"]), "/api/v1/modules/m_0000").await.ok();

    let revoked = cli(&["key", "revoke", &text(&key["id"])]).await;
    assert_eq!(revoked.code, 0, "{revoked:?}");
    let refused = async || (server.api.get(&second, &site.modules("")).await.status == 401).then_some(());
    wait_for("the server hears of it", refused).await;
    server.api.get(&second, &site.modules("")).await.problem(401, "key-revoked");

    let keys = json(&cli(&["key", "list", "--json"]).await);
    let keys = keys.as_array().expect("keys");
    assert_eq!(keys.len(), 3);
    let listed = keys.iter().find(|k| k["id"] == key["id"]).expect("the second key");
    assert_eq!((&listed["site_id"], &listed["name"]), (&site.number().into(), &"second".into()));
    assert!(listed["revoked_at"].is_string() && listed["expires_at"].is_string(), "{listed}");
    let sites = json(&cli(&["site", "list", "--json"]).await);
    assert_eq!(sites.as_array().map(Vec::len), Some(1));
    assert_eq!((&sites[0]["name"], &sites[0]["url"]), (&"City library".into(), &"https://library.example".into()));
    assert!(sites[0]["last_sync_at"].is_string() && sites[0]["drupal_version"] == "10.3.6", "{sites}");

    for args in [&["key", "list"][..], &["site", "list"]] {
        let table = cli(args).await;
        assert_eq!((table.code, table.stderr.as_str()), (0, ""), "{table:?}");
        assert!(table.stdout.trim_start().starts_with("ID") && table.stdout.contains(&site.id), "{table:?}");
        assert!(
            ![&site.key, &second].iter().any(|key| table.stdout.contains(key.rsplit('_').next().expect("a secret")))
        );
    }
    server.terminate().await;
    assert!(server.wait().await.0.success());
}

async fn the_database_is_named_in_many_ways(database: TestDatabase) {
    let url = database.url.as_str();
    assert_eq!(run(url, &["migrate"]).await.code, 0);
    let create = ["site", "create", "--name", "One", "--json"];
    json(&finish(command(&[&["--database-url", url], &create[..]].concat())).await);
    json(&finish(command(&[&create[..], &["--database-url", url]].concat())).await);
    json(&finish(command(&["site", "--database-url", url, "create", "--name", "One", "--json"])).await);
    let mut from_environment = command(&create);
    from_environment.env("MODULE_MONITOR_DATABASE_URL", url);
    json(&finish(from_environment).await);
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), format!("{url}\n")).expect("its content");
    let path = file.path().display().to_string();
    json(&finish(command(&[&["--database-url-file", path.as_str()], &create[..]].concat())).await);
    let mut from_file = command(&create);
    from_file.env("MODULE_MONITOR_DATABASE_URL_FILE", &path);
    json(&finish(from_file).await);
    assert_complaint(&run(url, &["--database-url-file", &path, "site", "list"]).await, 2, "--database-url");
    // The option wins over the variable.
    let mut both = command(&["site", "list", "--json", "--database-url", url]);
    both.env("MODULE_MONITOR_DATABASE_URL", "nonsense://");
    assert_eq!(json(&finish(both).await).as_array().map(Vec::len), Some(6));
}

async fn keys_are_made_for_sites_that_exist(database: TestDatabase) {
    assert_eq!(run(&database.url, &["migrate"]).await.code, 0);
    for (args, code, said) in [
        (&["key", "create", "--site", "987654321"][..], 1, "there is no site"),
        (&["key", "revoke", "0000000000000000"], 1, "no key with that id"),
        (&["key", "create"], 2, "--admin"),
        (&["key", "create", "--admin", "--site", "987654321"], 2, "--site"),
        (&["key", "create", "--site", "x"], 2, "--site"),
        (&["key", "create", "--site", "01"], 2, "--site"),
        (&["key", "create", "--site", "00000000-0000-7000-8000-000000000000"], 2, "--site"),
        (&["key", "create", "--admin", "--expires-in", "soon"], 2, "--expires-in"),
        (&["key", "create", "--admin", "--expires-in", "0s"], 2, "--expires-in"),
        (&["site", "create", "--name", " "], 2, "--name"),
        (&["site", "create", "--name", "x", "--url", "example.org"], 2, "--url"),
        (&["site", "create"], 2, "--name"),
    ] {
        assert_complaint(&run(&database.url, args).await, code, said);
    }
    assert_eq!(json(&run(&database.url, &["key", "list", "--json"]).await), serde_json::json!([]));
    assert_eq!(json(&run(&database.url, &["site", "list", "--json"]).await), serde_json::json!([]));
}

async fn sites_are_listed_by_what_they_need(database: TestDatabase) {
    let url = &database.url;
    assert_eq!(run(url, &["migrate"]).await.code, 0);
    for name in ["Quiet", "Loud"] {
        json(&run(url, &["site", "create", "--name", name, "--json"]).await);
    }
    let mut raw = database.raw().await;
    raw.execute("UPDATE sites SET drupal_version = '10.3.6', conflict = true WHERE name = 'Loud'").await;
    raw.execute("UPDATE sites SET recent_refusals = 3, last_refusal = 'stale-sync' WHERE name = 'Quiet'").await;
    raw.execute("INSERT INTO site_tags (site_id, tag) SELECT id, 'tier-1' FROM sites WHERE name = 'Loud'").await;
    for (args, expected) in [
        (&["--tag", "tier-1"][..], "Loud"),
        (&["--tag", "tier-2"], ""),
        (&["--conflict"], "Loud"),
        (&["--reporting", "failing"], "Quiet"),
        (&["--reporting", "ok", "--tag", "tier-1"], "Loud"),
        (&["--silent"], ""),
        (&["--security"], ""),
        (&["--mass-removal"], ""),
    ] {
        let sites = json(&run(url, &[&["site", "list", "--json"], args].concat()).await);
        let names: Vec<_> = sites.as_array().expect("sites").iter().map(|s| text(&s["name"])).collect();
        assert_eq!(names.join(" "), expected, "{args:?}");
    }
    let table = run(url, &["site", "list"]).await;
    assert!(table.stdout.contains("failing: stale-sync") && table.stdout.contains("conflict"), "{table:?}");
    assert_complaint(&run(url, &["site", "list", "--reporting", "well"]).await, 2, "--reporting");
    assert_complaint(&run(url, &["site", "list", "--tag", "Not a tag"]).await, 2, "--tag");
}

/// One line on standard error, nothing on standard output.
fn assert_complaint(finished: &Finished, code: i32, said: &str) {
    assert_eq!((finished.code, finished.stdout.as_str()), (code, ""), "{finished:?}");
    assert_eq!(finished.stderr.lines().count(), 1, "{finished:?}");
    assert!(finished.stderr.contains(said) && !finished.stderr.contains("swordfish"), "{finished:?}");
}

#[tokio::test]
async fn bad_settings_are_one_line_that_names_the_flag() {
    for url in [
        "",
        "nonsense",
        "mysql://x/y",
        "sqlite://",
        "sqlite://:memory:",
        "sqlite:///no/such/folder/x.db",
        "sqlite://x.db?mode=ro",
        "postgres://user@host:port/db",
        "postgres://user:swordfish?@host/db",
        "postgres://user:swordfish@host/db?sslmode=sometimes",
        "postgres://user:swordfish@host/db?sslmode=verify-full&sslrootcert=/no/such.pem",
    ] {
        for rest in [&["migrate"][..], &["serve", "--listen", "127.0.0.1:0"], &["site", "list"]] {
            assert_complaint(&run(url, rest).await, 2, "--database-url");
        }
        let mut from_environment = command(&["migrate"]);
        from_environment.env("MODULE_MONITOR_DATABASE_URL", url);
        assert_complaint(&finish(from_environment).await, 2, "--database-url");
    }
    for (flag, value) in [
        ("--listen", "nonsense"),
        ("--listen", "127.0.0.1:99999"),
        ("--database-connections", "0"),
        ("--database-connections", "many"),
        ("--database-checkout-timeout", "soon"),
        ("--database-checkout-timeout", "0s"),
        ("--log-format", "xml"),
        ("--log-level", "lib=loud"),
        ("--no-such-flag", "x"),
        ("--database-url-file", "/no/such/file"),
        ("--redis-url-file", "/no/such/file"),
        ("--migration-timeout", "soon"),
    ] {
        assert_complaint(&finish(command(&["serve", flag, value])).await, 2, flag);
    }
    assert_complaint(&finish(command(&["serv"])).await, 2, "serv");
}

#[tokio::test]
async fn help_shows_every_setting_with_its_variable_and_default() {
    let mut help = command(&["serve", "--help"]);
    help.env("MODULE_MONITOR_DATABASE_URL", "postgres://mm:swordfish@db/mm");
    let help = finish(help).await;
    assert_eq!((help.code, help.stderr.as_str()), (0, ""));
    for said in [
        "--listen",
        "MODULE_MONITOR_LISTEN",
        "127.0.0.1:8080",
        "--database-url",
        "MODULE_MONITOR_DATABASE_URL",
        "sqlite://module-monitor.db",
        "--redis-url",
        "MODULE_MONITOR_REDIS_URL",
        "--log-format",
        "MODULE_MONITOR_LOG_FORMAT",
        "pretty",
        "json",
        "--database-connections",
        "MODULE_MONITOR_DATABASE_CONNECTIONS",
    ] {
        assert!(help.stdout.contains(said), "{said}: {}", help.stdout);
    }
    assert!(!help.stdout.contains("swordfish"), "{}", help.stdout);
    let top = finish(command(&["--help"])).await;
    for command in ["serve", "migrate", "site", "key", "releases", "security", "demo"] {
        assert!(top.stdout.lines().any(|line| line.trim_start().starts_with(command)), "{command}: {}", top.stdout);
    }
    for args in
        [&["site", "create", "--help"][..], &["key", "create", "--help"], &["migrate", "--help"], &["--version"]]
    {
        let shown = finish(command(args)).await;
        assert_eq!((shown.code, shown.stderr.as_str()), (0, ""), "{args:?}");
    }
    assert_eq!(finish(command(&[])).await.code, 2);
}

async fn what_is_named_and_not_there_is_found(database: TestDatabase) {
    let check = async || run(&database.url, &["check"]).await;
    let unready = check().await;
    assert_eq!(unready.code, 1, "{unready:?}");
    assert!(unready.stderr.contains("migrate"), "{unready:?}");
    let storage = database.open().await;
    new_site(storage.as_ref(), "A site").await;
    let fine = check().await;
    assert_eq!((fine.code, fine.stdout.as_str()), (0, "Every row names what is there.\n"));
    let mut raw = database.raw().await;
    raw.execute("UPDATE sites SET core_assessment_id = 7").await;
    let found = check().await;
    assert_eq!(
        (found.code, found.stdout.as_str()),
        (1, "sites.core_assessment_id: names what is not there in 1 row\n")
    );
    assert!(found.stderr.contains("put a backup back"), "{found:?}");
    raw.execute("UPDATE sites SET core_assessment_id = NULL").await;
}
