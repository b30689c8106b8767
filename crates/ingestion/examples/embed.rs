//! Applies a report from within a program of your own, without the server.
//!
//! ```sh
//! cargo run -p module-monitor-ingestion --example embed -- my-sites.db report.json
//! ```
//!
//! The report has the format of `POST /api/v1/sites/{site_id}/modules/sync`; without a file, a small one is made up.
//! Run it twice: the second report changes nothing.

use std::sync::Arc;

use anyhow::{Context, bail};
use module_monitor_domain::{SiteId, SiteName};
use module_monitor_ingestion::{Clock, Handling, RequestError, SyncRequest, SyncService, SystemClock};
use module_monitor_storage::{NewSite, Page, SiteChange, SiteFilter, Storage, StorageOptions, SyncOrigin, connect};
use time::format_description::well_known::Rfc3339;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let file = arguments.next().unwrap_or_else(|| "embedded.db".to_owned());
    let body = match arguments.next() {
        Some(path) => std::fs::read(&path).with_context(|| format!("cannot read {path}"))?,
        None => made_up_report()?,
    };

    let storage = connect(&format!("sqlite://{file}"), StorageOptions::default())?;
    storage.migrate().await?;
    let site = the_only_site(&*storage).await?;

    let request = match SyncRequest::from_json(&body, Handling::Strict) {
        Ok(request) => request,
        Err(RequestError::Malformed(reason)) => bail!("not JSON: {reason}"),
        Err(RequestError::Invalid(errors)) => {
            let lines: Vec<_> = errors.iter().map(|e| format!("{}: {}", e.pointer, e.detail)).collect();
            bail!("the report is not valid:\n{}", lines.join("\n"));
        }
    };
    let service = SyncService::new(Arc::clone(&storage), Arc::new(SystemClock));
    let synced = service.sync(site, request, SyncOrigin::default()).await?;
    print(&serde_json::to_string_pretty(&synced.response)?);
    Ok(())
}

/// Registers a site on the first run. It needs no key, because it does not report over HTTP.
async fn the_only_site(storage: &dyn Storage) -> anyhow::Result<SiteId> {
    if let Some(site) = storage.list_sites(SiteFilter::default(), Page { limit: 1, after: None }).await?.first() {
        return Ok(site.id);
    }
    let name = SiteName::parse("Embedded")?;
    let site = NewSite { name, created_at: SystemClock.now(), settings: SiteChange::default() };
    Ok(storage.create_site(site, None, "embed").await?.id)
}

fn made_up_report() -> anyhow::Result<Vec<u8>> {
    let report = serde_json::json!({
        "site_info": {"environment": "production"},
        "modules": [
            {"machine_name": "node", "name": "Node", "type": "core", "version": "10.3.6", "status": true},
            {"machine_name": "token", "name": "Token", "type": "contrib", "version": "8.x-1.15", "status": true},
            {"machine_name": "our_code", "name": "Our code", "type": "custom", "version": null, "status": true},
        ],
        "sync_timestamp": SystemClock.now().format(&Rfc3339)?,
        "drupal_version": "10.3.6",
        "php_version": "8.3.0",
    });
    Ok(serde_json::to_vec(&report)?)
}

#[expect(clippy::print_stdout, reason = "a command line program prints its result")]
fn print(text: &str) {
    println!("{text}");
}
