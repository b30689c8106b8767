//! TLS to PostgreSQL and Redis, with real servers and certificates of our own.

use std::time::Duration;

use module_monitor_storage::{StorageError, StorageOptions, connect};
use module_monitor_tests::certificates::Authority;
use module_monitor_tests::postgres::PrivatePostgres;
use module_monitor_tests::process::{ServerProcess, command, finish, run, wait_for};
use module_monitor_tests::raw::RawConnection;
use module_monitor_tests::redis::PrivateRedis;

/// The names that the tests' servers are certified for: not `localhost`, which leads to them, too.
const NAMES: &str = "IP:127.0.0.1";

/// Has a running PostgreSQL offer TLS.
async fn encrypt(postgres: &PrivatePostgres, authority: &Authority) -> RawConnection {
    let mut raw = RawConnection::open(&postgres.url()).await;
    let [certificate, key] = postgres.own([authority.certificate(), authority.key()]);
    for (setting, value) in [("ssl_cert_file", certificate), ("ssl_key_file", key)] {
        raw.execute(&format!("ALTER SYSTEM SET {setting} = '{}'", value.display())).await;
    }
    raw.execute("ALTER SYSTEM SET ssl = on").await;
    raw.execute("SELECT pg_reload_conf()").await;
    wait_for("TLS is on", async || {
        // What a session shows it has read before it answers.
        (raw.texts("SELECT setting FROM pg_settings WHERE name = 'ssl'").await == ["on"]).then_some(())
    })
    .await;
    raw
}

/// Whether the connections of the program are encrypted, all or none.
async fn encrypted(raw: &mut RawConnection) -> bool {
    let select = "SELECT DISTINCT ssl FROM pg_stat_ssl NATURAL JOIN pg_stat_activity \
                  WHERE application_name = 'module-monitor'";
    let found = raw.texts(select).await;
    assert_eq!(found.len(), 1, "{found:?}");
    found == ["true"]
}

async fn try_migrate(url: &str) -> Result<(), String> {
    let storage =
        connect(url, StorageOptions { checkout_timeout: Duration::from_secs(10), ..StorageOptions::default() });
    match storage.expect("a usable URL").migrate().await {
        Ok(_) => Ok(()),
        Err(StorageError::Unavailable(why)) => Err(why.to_string()),
        Err(error) => panic!("{error:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_is_encrypted_and_authenticated_as_the_url_asks() {
    let Some(postgres) = PrivatePostgres::running().await else { return };
    let (authority, stranger) = (Authority::of_server(NAMES), Authority::of_server(NAMES));
    let mut raw = encrypt(&postgres, &authority).await;
    let (root, other) = (authority.root(), stranger.root());
    let at = |host: &str, parameters: &str| {
        format!("{}?{parameters}", postgres.url().replace("127.0.0.1", host))
            .replace("OTHER", &other.display().to_string())
            .replace("ROOT", &root.display().to_string())
    };
    for (host, parameters) in [
        ("127.0.0.1", ""),
        ("127.0.0.1", "sslmode=prefer"),
        ("localhost", "sslmode=require"),
        ("localhost", "sslmode=require&sslrootcert=ROOT"),
        ("localhost", "sslmode=verify-ca&sslrootcert=ROOT"),
        ("127.0.0.1", "sslmode=verify-full&sslrootcert=ROOT"),
    ] {
        let storage = connect(&at(host, parameters), StorageOptions::default()).expect("a usable URL");
        storage.migrate().await.unwrap_or_else(|error| panic!("{parameters}: {error:?}"));
        storage.check().await.expect("up to date");
        assert!(encrypted(&mut raw).await, "{parameters}");
        drop(storage);
        gone(&mut raw).await;
    }
    for (host, parameters, why) in [
        ("localhost", "sslmode=verify-full&sslrootcert=ROOT", "not valid for name"),
        ("127.0.0.1", "sslmode=verify-full&sslrootcert=OTHER", "invalid peer certificate"),
        ("127.0.0.1", "sslmode=verify-full", "invalid peer certificate"),
        ("127.0.0.1", "sslmode=verify-ca&sslrootcert=OTHER", "invalid peer certificate"),
        ("127.0.0.1", "sslmode=require&sslrootcert=OTHER", "invalid peer certificate"),
    ] {
        let refused = try_migrate(&at(host, parameters)).await.expect_err(parameters);
        assert!(refused.contains(why), "{parameters}: {refused}");
    }
    let storage = connect(&at("127.0.0.1", "sslmode=disable"), StorageOptions::default()).expect("a usable URL");
    storage.check().await.expect("up to date");
    assert!(!encrypted(&mut raw).await);
}

/// Waits until the program's connections have ended.
async fn gone(raw: &mut RawConnection) {
    wait_for("its connections end", async || {
        let select = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'module-monitor'";
        (raw.number(select).await == 0).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_postgres_without_tls_is_refused_or_told_of() {
    let Some(postgres) = PrivatePostgres::running().await else { return };
    let with = |parameters: &str| format!("{}?{parameters}", postgres.url());
    for asked in ["sslmode=require", "sslmode=verify-full"] {
        assert!(try_migrate(&with(asked)).await.expect_err(asked).contains("server does not support TLS"), "{asked}");
    }
    let lines = async |parameters: &str| {
        let finished = run(&with(parameters), &["migrate"]).await;
        assert_eq!(finished.code, 0, "{finished:?}");
        finished.stderr.matches("connections to PostgreSQL are not encrypted").count()
    };
    assert_eq!(lines("sslmode=prefer").await, 1);
    // What was not asked for, and what stays on the machine, is nothing to warn of.
    assert_eq!(lines("sslmode=disable").await + lines("").await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_is_encrypted_and_authenticated() {
    let (authority, stranger) = (Authority::of_server(NAMES), Authority::of_server(NAMES));
    let Some(redis) = PrivateRedis::start_encrypted(&authority).await else { return };
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite://{}", folder.path().join("test.db").display());
    let (url, root, other) =
        (redis.url(), authority.root().display().to_string(), stranger.root().display().to_string());
    for (root, shared) in [(Some(&root), true), (Some(&other), false), (None, false)] {
        let mut args = vec!["--redis-url", url.as_str()];
        args.extend(root.iter().flat_map(|root| ["--redis-root-certificate", root.as_str()]));
        let server = ServerProcess::start(&database, &args).await;
        let metrics = server.api.get_open("/metrics").await.text;
        let expected = format!("module_monitor_rate_limit_shared {}", i32::from(shared));
        assert!(metrics.contains(&expected), "{root:?}: {metrics}");
        assert_eq!(server.log().contains("invalid peer certificate"), !shared, "{}", server.log());
        server.terminate().await;
        assert!(server.wait().await.0.success());
    }
    let mut plain = command(&["--database-url", &database, "--redis-url", "redis://127.0.0.1:1", "serve"]);
    plain.env("MODULE_MONITOR_REDIS_ROOT_CERTIFICATE", &root);
    let refused = finish(plain).await;
    assert!(refused.code == 2 && refused.stderr.contains("needs rediss://"), "{refused:?}");
}
