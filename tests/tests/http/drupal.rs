//! `docs/drupal.md`: its PHP runs, and what it sends is taken.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use module_monitor_tests::api::TestSite;
use module_monitor_tests::backends::{Backend, TestDatabase};
use module_monitor_tests::server::TestServer;
use module_monitor_tests::skip::skip_or_fail;
use serde_json::{Value, json};

/// Writes the files of the guide to `folder`. A block that names no file belongs to no file.
fn write_files(folder: &Path) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let guide = fs::read_to_string(root.join("../docs/drupal.md")).expect("docs/drupal.md");
    for block in guide.split("```php\n").skip(1) {
        let code = block.split("```").next().expect("an end").trim_start_matches("<?php\n");
        let Some((_, named)) = code.split_once("// file: ") else { continue };
        let path = folder.join(named.lines().next().expect("a name"));
        let before = fs::read_to_string(&path).unwrap_or_else(|_| "<?php\n".to_owned());
        fs::write(&path, before + code).expect("a file");
    }
}

/// Runs cron of that Drupal twice; `None` where there is no PHP and `SKIP` lists `php`.
fn cron(drupal: &str, server: &TestServer, site: &TestSite) -> Option<String> {
    let folder = tempfile::tempdir().expect("a folder");
    write_files(folder.path());
    let fake = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("fixtures/drupal/{drupal}.php"));
    let url = format!("http://{}/", server.api.addr);
    let settings = json!({"url": url, "site": site.id, "key": site.key, "environment": "production"});
    let run = Command::new("php")
        .arg(fake)
        .arg(folder.path().join(format!("{drupal}.module")))
        .env("SETTINGS", settings.to_string())
        .output();
    let Output { status, stdout, stderr } = match run {
        Ok(output) => output,
        Err(error) => {
            skip_or_fail("php", &format!("php cannot be started: {error}"));
            return None;
        }
    };
    let printed = String::from_utf8_lossy(&stdout).into_owned();
    assert!(status.success(), "{printed}{}", String::from_utf8_lossy(&stderr));
    Some(printed)
}

async fn modules(server: &TestServer, site: &TestSite) -> Vec<String> {
    let line = |m: &Value| {
        format!(
            "{} {} {} {} {} {}",
            m["machine_name"], m["type"], m["extension"], m["version"], m["enabled"], m["project"]
        )
    };
    server.api.list(&site.key, &site.modules(""), 100).await.iter().map(|m| line(m).replace('"', "")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_reporters_of_the_guide_report() {
    let database = TestDatabase::new(Backend::Sqlite).await.expect("SQLite is always there");
    let server = TestServer::start(&database).await;
    for (drupal, unjudged, expected) in [
        (
            "drupal8",
            4,
            [
                "city_core custom module null true null",
                "claro core theme 10.3.6 true drupal",
                "node core module 10.3.6 true drupal",
                "standard core profile 10.3.6 true drupal",
                "webform contrib module 6.2.2 true webform",
            ],
        ),
        (
            "drupal7",
            // That its core is no longer supported is known without release data.
            1,
            [
                "bartik core theme 7.103 true drupal",
                "city_core custom module null false null",
                "node core module 7.103 true drupal",
                "standard core profile 7.103 true drupal",
                "views contrib module 7.x-3.29 true views",
            ],
        ),
    ] {
        let site = server.site(drupal).await;
        let running = tokio::task::block_in_place(|| cron(drupal, &server, &site));
        let Some(printed) = running else { continue };
        let unknown = format!("info: Security status not known yet for {unjudged} modules");
        assert_eq!(
            printed.lines().collect::<Vec<_>>(),
            ["info: Unknown module: city_core", &unknown, "later"],
            "{drupal}"
        );
        assert_eq!(modules(&server, &site).await, expected, "{drupal}");

        let stranger = TestSite { key: "mm_0_0".to_owned(), ..site.clone() };
        let refused = tokio::task::block_in_place(|| cron(drupal, &server, &stranger)).expect("PHP is there");
        assert!(refused.starts_with("error: 401 key-invalid: ") && refused.ends_with("later\n"), "{refused}");
    }
    server.stop().await;
}
