//! Lists of what is insecure: pages, filters, CSV, and who may read them.

use module_monitor_tests::api::Answer;
use module_monitor_tests::backends::TestDatabase;
use module_monitor_tests::feeds::Feed;
use module_monitor_tests::on_both_backends;
use module_monitor_tests::payloads::contrib;
use reqwest::Method;

use crate::support::{Monitor, projects, token};

on_both_backends!(a_list_is_paged_and_filtered, csv_is_the_whole_list, only_admins_ask_and_only_sensibly);

fn pathauto() -> Feed {
    Feed::new("pathauto", "8.x-1.").release("8.x-1.12", &[])
}

async fn a_list_is_paged_and_filtered(database: TestDatabase) {
    let monitor = Monitor::start(&database).await;
    monitor.import(&token().fixed_by("8.x-1.16")).await;
    monitor.import(&pathauto().fixed_by("8.x-1.13")).await;
    let both = [contrib("token", "8.x-1.15"), contrib("pathauto", "8.x-1.12")];
    let mut sites = Vec::new();
    for name in ["One", "Two", "Three"] {
        sites.push(monitor.site(name, &both).await);
    }
    let all = monitor.updates().await;
    assert_eq!(projects(&all[..2]), ["pathauto 8.x-1.12", "token 8.x-1.15"]);
    let mut by_site: Vec<_> = all.iter().map(|item| item["site_id"].as_i64()).collect();
    assert!(by_site.is_sorted());
    by_site.dedup();
    assert_eq!((all.len(), by_site.len()), (6, 3));
    for limit in [1, 2, 5, 6] {
        let paged = monitor.server.api.list(&monitor.admin, "/api/v1/security/updates", limit).await;
        assert_eq!(paged, all, "{limit}");
    }
    let of_one = monitor.list(&format!("/security/updates?site={}", sites[1].id)).await;
    assert_eq!((projects(&of_one).len(), of_one.iter().all(|item| item["site_id"] == sites[1].number())), (2, true));
    let of_token = monitor.list("/security/updates?project=token").await;
    assert_eq!(projects(&of_token), ["token 8.x-1.15"; 3]);
    assert_eq!(monitor.list(&format!("/security/updates?project=token&site={}", sites[0].id)).await.len(), 1);
    assert_eq!(monitor.list("/security/updates?project=views").await.len(), 0);

    for site in &sites {
        monitor.report(site, &[contrib("pathauto", "8.x-1.12")]).await;
    }
    let fixed = monitor.list("/security/updates?fixed=true").await;
    assert_eq!(fixed.len(), 3);
    let paged = monitor.server.api.list(&monitor.admin, "/api/v1/security/updates?fixed=true", 1).await;
    assert_eq!(paged, fixed);
    assert_eq!(monitor.list(&format!("/security/updates?fixed=true&site={}", sites[0].id)).await.len(), 1);
    assert_eq!(monitor.list("/security/updates?fixed=true&project=pathauto").await.len(), 0);
    monitor.server.stop().await;
}

async fn csv(monitor: &Monitor, path: &str) -> Answer {
    let request = monitor.server.api.request(Method::GET, &format!("/api/v1{path}"));
    Answer::of(request.header("X-API-Key", &monitor.admin).header("Accept", "text/csv")).await
}

async fn csv_is_the_whole_list(database: TestDatabase) {
    let monitor = Monitor::start(&database).await;
    let count = 30;
    let mut modules = Vec::new();
    for n in 0..count {
        let name = format!("m_{n:02}");
        monitor.import(&Feed::new(&name, "1.").release("1.0.0", &[]).fixed_by("1.0.1")).await;
        modules.push(contrib(&name, "1.0.0"));
    }
    for name in ["=cmd|' /C calc'!A0", "Two, \"quoted\"", "Three", "Four"] {
        monitor.site(name, &modules).await;
    }
    // More than a page of JSON has by default.
    let whole = csv(&monitor, "/security/updates").await;
    assert_eq!((whole.status, whole.header("content-type")), (200, Some("text/csv; charset=utf-8; header=present")));
    assert_eq!(whole.header("vary"), Some("Accept"));
    let lines: Vec<&str> = whole.text.split_terminator("\r\n").collect();
    assert_eq!(lines.len(), 1 + 4 * count);
    let header = "site_id,site_name,project,version,recommended,status,security_updates,modules,class,\
                  unknown_reason,insecure_since,accepted_until,accepted_reason";
    assert_eq!(lines[0], header);
    assert_eq!(lines.iter().filter(|line| line.contains(",'=cmd|' /C calc'!A0,")).count(), count);
    assert_eq!(lines.iter().filter(|line| line.contains(",\"Two, \"\"quoted\"\"\",")).count(), count);
    assert!(lines[1].contains(",m_00,1.0.0,1.0.1,not_secure,1.0.1,m_00,insecure,,20"), "{}", lines[1]);

    let some = csv(&monitor, "/security/updates?project=m_07").await;
    assert_eq!(some.text.lines().count(), 5);
    let limited = csv(&monitor, "/security/updates?limit=7").await;
    assert_eq!(limited.text, lines[..8].join("\r\n") + "\r\n");
    csv(&monitor, "/security/updates?projekt=x").await.problem(422, "validation-failed");
    let fixed = csv(&monitor, "/security/updates?fixed=true").await;
    assert_eq!(fixed.text, "site_id,site_name,project,insecure_since,fixed_at\r\n");
    monitor.server.stop().await;
}

async fn only_admins_ask_and_only_sensibly(database: TestDatabase) {
    let monitor = Monitor::start(&database).await;
    let site = monitor.site("A site", &[contrib("token", "8.x-1.15")]).await;
    let api = &monitor.server.api;
    for path in [
        "/security/updates",
        "/security/acceptances",
        "/security/acceptances/00000000-0000-7000-8000-000000000000",
        "/projects/token/releases",
        "/projects/token/sites",
    ] {
        api.get(&site.key, &format!("/api/v1{path}")).await.problem(403, "admin-only");
        api.get_open(&format!("/api/v1{path}")).await.problem(401, "key-missing");
        monitor.send(Method::PUT, path, &serde_json::Value::Null).await.problem(405, "method-not-allowed");
        if !path.ends_with('0') {
            monitor.get(&format!("{path}?nonsense=1")).await.problem(422, "validation-failed");
            monitor.get(&format!("{path}?limit=0")).await.problem(422, "validation-failed");
            monitor.get(&format!("{path}?cursor=x")).await.problem(422, "validation-failed");
        }
    }
    for query in [
        "site=x",
        "project=../x",
        "include_disabled=maybe",
        "fixed=1",
        "fixed=true&include_disabled=true",
        "project=a&project=b",
    ] {
        monitor.get(&format!("/security/updates?{query}")).await.problem(422, "validation-failed");
    }
    // The cursor of one list is none of another.
    monitor.import(&token().fixed_by("8.x-1.16")).await;
    monitor.site("Another", &[contrib("token", "8.x-1.15")]).await;
    let cursor = monitor.get("/security/updates?limit=1").await.ok()["next_cursor"].as_str().expect("more").to_owned();
    monitor.get(&format!("/security/updates?fixed=true&cursor={cursor}")).await.problem(422, "validation-failed");
    monitor.server.stop().await;
}
