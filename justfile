# What this project can be asked to do. `just` alone lists it.

set shell := ["bash", "-euo", "pipefail", "-c"]

just := just_executable()

# List the recipes.
default:
    @{{ just }} --list

# Everything a change must pass, on private PostgreSQL and Redis servers that it starts and stops itself.
test:
    @scripts/with-services {{ just }} checks suites

# A throw-away server with sample sites, to look at.
demo:
    cargo run --release -- demo

# Format the code.
fmt:
    cargo fmt --all

# What needs no test to run: the quickest first.
checks: format layers circles deny lint docs

[private]
format:
    @scripts/step "formatting (just fmt repairs it)" cargo fmt --all --check

[private]
layers:
    @scripts/step "Cargo.lock is up to date (cargo build repairs it)" cargo metadata --locked --format-version 1 >/dev/null
    @scripts/step "layering" scripts/check-layers

[private]
circles:
    @scripts/step "no two modules of a crate import each other" scripts/check-circles
    @scripts/step "circles are found where there are some" scripts/check-circles --self-test

# Licences, banned crates and where crates come from.
deny:
    @scripts/ensure-tool cargo-deny
    @scripts/step "dependencies" cargo deny --locked --log-level error check bans licenses sources

# Known vulnerabilities of our dependencies. Not part of `just test`: it needs the network, and fails without a change of ours.
advisories:
    @scripts/ensure-tool cargo-deny
    cargo deny --locked check advisories

# The server alone comes second: the suites' dependencies may lend it a feature that `cargo run` then lacks.
# Clippy, warnings as errors.
lint:
    @scripts/step "clippy" cargo clippy --locked --workspace --all-targets -- -D warnings
    @scripts/step "clippy, the server alone" cargo clippy --locked -p module-monitor -- -D warnings

# The API documentation, warnings as errors.
docs:
    @RUSTDOCFLAGS="-D warnings" scripts/step "documentation" cargo doc --locked --workspace --no-deps

# The suites start the server's binary, so it must be there, and of the same features. They end with cargo's own lines.
[private]
suites:
    @scripts/step "build" cargo build --locked --workspace --all-targets
    @scripts/step "Drupal modules" scripts/test-drupal
    @scripts/step "fuzzing the API, briefly" scripts/fuzz-api 3 1
    @echo "== tests" >&2
    @cargo test --locked --workspace --no-fail-fast

# The Drupal modules' own tests, on Debian's PHP; SKIP=drupal leaves them out.
test-drupal:
    @scripts/step "Drupal modules" scripts/test-drupal

# What syncs and lists cost on both databases, beside what these alone would take; 3 minutes. Fails over 5 s or 500 MB.
bench:
    cargo build --locked --release -p module-monitor -p module-monitor-tests --bins
    scripts/with-services --durable cargo run --locked --release -p module-monitor-tests --bin bench

# The same on PostgreSQL with so many sites of 190 modules, once a release makes all of them insecure. 10000 take 2 GB of disk.
bench-scale SITES="20000":
    cargo build --locked --release -p module-monitor -p module-monitor-tests --bins
    scripts/with-services --durable cargo run --locked --release -p module-monitor-tests --bin bench -- scale {{ trim_start_match(SITES, "SITES=") }}

# What it costs to read a report: at a glance, as a whole, and by serde_json alone.
bench-reading:
    cargo bench --locked -p module-monitor-ingestion

# How many reports of 800 modules two workers take out of the queue in a second, on PostgreSQL and a release build.
bench-queue REPORTS="200":
    cargo build --locked --release -p module-monitor -p module-monitor-tests --bins
    scripts/with-services cargo run --locked --release -p module-monitor-tests --bin bench-queue -- {{ REPORTS }}

# Line coverage of the suites, the server processes they start included; fails under 80 %.
coverage:
    @scripts/ensure-tool cargo-tarpaulin
    scripts/with-services scripts/coverage

# Look for inputs that break a parser of versions, requests or release histories, so many seconds each. Needs nightly.
fuzz SECONDS="60":
    @scripts/ensure-tool cargo-fuzz
    @scripts/fuzz version {{ SECONDS }}
    @scripts/fuzz sync_request {{ SECONDS }}
    @scripts/fuzz release_history {{ SECONDS }}

# Look for answers that our OpenAPI document does not describe, with so many examples an operation; another seed each time.
fuzz-api EXAMPLES="100":
    cargo build --locked -p module-monitor
    scripts/with-services scripts/fuzz-api {{ EXAMPLES }}
