//! `docs/api.md`: every example runs as printed, prints what is shown, and no operation and no problem is left out.

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use module_monitor_server::openapi_document;
use module_monitor_tests::process::{DEADLINE, binary};
use serde_json::Value;
use tokio::process::Command;
use tokio::time::timeout;

/// Where the guide's server listens; the test takes a free port instead, and changes nothing else.
const PRINTED: &str = "127.0.0.1:8080";
const MARK: &str = "<<<end of block>>>";

fn guide() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/api.md");
    std::fs::read_to_string(path).expect("docs/api.md")
}

/// A block of the guide: what it tells to run, and what it shows, where it shows something.
struct Example {
    commands: String,
    shown: Option<String>,
}

fn examples(guide: &str) -> Vec<Example> {
    let mut found: Vec<Example> = Vec::new();
    let mut lines = guide.lines();
    let mut previous_was_shell = false;
    while let Some(line) = lines.next() {
        let Some(language) = line.strip_prefix("```") else {
            previous_was_shell = false;
            continue;
        };
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        let block = block.join("\n");
        match language {
            "sh" => found.push(Example { commands: block, shown: None }),
            _ if previous_was_shell => found.last_mut().expect("a block before").shown = Some(block),
            other => panic!("a block of {other:?} that shows the output of nothing"),
        }
        previous_was_shell = language == "sh";
    }
    found
}

/// Runs the examples one after another in one shell, in an empty folder, and gives what each has printed. After the last
/// but one, which leaves the server running, come its metrics.
async fn run(examples: &[Example], address: &str) -> Vec<String> {
    let mut script = String::from("set -euo pipefail\ntrap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n");
    for (i, example) in examples.iter().enumerate() {
        if i + 1 == examples.len() {
            script.push_str(&format!("curl -s \"$URL/metrics\"\necho; echo '{MARK}'\n"));
        }
        script.push_str(&format!("{}\necho; echo '{MARK}'\n", example.commands.replace(PRINTED, address)));
    }
    let folder = tempfile::tempdir().expect("a folder");
    let programs: PathBuf = binary().parent().expect("a folder").to_owned();
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap_or_default());
    let shell = Command::new("bash")
        .args(["-c", &script])
        .current_dir(&folder)
        .env("PATH", path)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = timeout(DEADLINE * 2, shell).await.expect("the guide comes to an end").expect("bash runs");
    let log = std::fs::read_to_string(folder.path().join("server.log")).unwrap_or_default();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let printed = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(output.status.success(), "it needs curl and jq, and it ended after:\n{printed}\n{said}\n{log}");
    printed.split(&format!("\n{MARK}\n")).map(str::to_owned).collect()
}

/// The text with what is another each time left out.
fn steady(text: &str) -> String {
    let mut steady = String::new();
    for line in text.trim().lines() {
        match line.split_once("\"processing_time_ms\":") {
            Some((before, _)) => steady.push_str(before),
            None => steady.push_str(&without_ids(line)),
        }
        steady.push('\n');
    }
    steady
}

/// Keys, ids and times are all that has digits, and at least 16 characters of these, in one piece.
fn without_ids(line: &str) -> String {
    let is_part = |c: char| c.is_ascii_hexdigit() || matches!(c, 'm' | '_' | '-' | ':' | '.' | 'T' | 'Z');
    let mut steady = String::new();
    let mut rest = line;
    while !rest.is_empty() {
        let length = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(length);
        let volatile = word.len() >= 16 && word.contains(|c: char| c.is_ascii_digit());
        steady.push_str(if volatile { "..." } else { word });
        let next = after.chars().next().map_or(0, char::len_utf8);
        steady.push_str(&after[..next]);
        rest = &after[next..];
    }
    steady
}

/// A port that nobody else gets: listening on it later can only fail if somebody takes it in between.
fn free_address() -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    listener.local_addr().expect("an address").to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_example_runs_as_printed_and_every_operation_is_among_them() {
    let examples = examples(&guide());
    let address = free_address();
    let mut printed = run(&examples, &address).await;
    let metrics = printed.remove(examples.len() - 1);
    for (example, printed) in examples.iter().zip(&printed) {
        let shown = example.shown.clone().unwrap_or_default();
        assert_eq!(steady(&printed.replace(&address, PRINTED)), steady(&shown), "{}", example.commands);
    }
    for (path, item) in openapi_document()["paths"].as_object().expect("paths") {
        for method in item.as_object().expect("operations").keys() {
            // It only exists for a module of that name.
            if item[method]["operationId"] == "show_module_named_sync" {
                continue;
            }
            // Nothing that the guide does makes a dead letter, so it shows what is said where there is none.
            let status = if path.contains("{dead_letter_id}") { "404" } else { "2" };
            let counted = format!("method=\"{}\",route=\"{path}\",status=\"{status}", method.to_uppercase());
            // What is being asked when the metrics are written is not in them yet.
            assert!(path == "/metrics" || metrics.contains(&counted), "no example calls {method} {path}");
        }
    }
}

#[test]
fn the_table_of_problems_has_all_of_them() {
    let guide = guide();
    let rows = guide.lines().filter_map(|line| {
        let mut cells = line.strip_prefix("| ")?.strip_suffix(" |")?.split(" | ");
        let (status, code) = (cells.next()?, cells.next()?);
        let code = code.strip_prefix('`')?.strip_suffix('`')?;
        assert!(cells.clone().count() == 2 && cells.all(|cell| cell.len() > 10), "cause and cure of {code}");
        Some((code.to_owned(), status.parse::<u64>().expect("a status")))
    });
    let mut rows: Vec<(String, u64)> = rows.collect();
    let examples = openapi_document()["components"]["examples"].as_object().expect("examples");
    let status = |example: &Value| example["value"]["status"].as_u64().expect("a status");
    let mut codes: Vec<(String, u64)> =
        examples.iter().map(|(code, example)| (code.clone(), status(example))).collect();
    rows.sort();
    codes.sort();
    assert_eq!(rows, codes);
}
