//! The `.sql` files of the crate, and what names them. That each can be prepared is a story of the contract suite.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

fn files(extension: &str) -> Vec<PathBuf> {
    let mut files = files_below(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    files.retain(|path| path.extension().is_some_and(|is| is == extension));
    assert!(files.len() > 50, "the sources were not found");
    files
}

/// The text of a file without the lines that are comments.
fn code(path: &Path, comment: &str) -> String {
    let text = fs::read_to_string(path).unwrap();
    text.lines().filter(|line| !line.trim_start().starts_with(comment)).flat_map(|line| [line, "\n"]).collect()
}

/// What stands up to the next quotation mark, and behind it.
fn quoted(text: &str) -> (&str, &str) {
    text.split_once('"').unwrap_or_else(|| panic!("no name: {text:.80}"))
}

/// The files that a source names with `statement!` or `include_str!`.
fn named(source: &Path) -> Vec<PathBuf> {
    let code = code(source, "//");
    let mut names = Vec::new();
    for call in code.split("statement!(").skip(1) {
        let (form, rest) = quoted(call);
        let endings: &[&str] = match form.trim() {
            "" => &["sql"],
            "pg" => &["pg.sql"],
            "sqlite" => &["sqlite.sql"],
            "pair" => &["pg.sql", "sqlite.sql"],
            other => panic!("{}: no such form of a statement: {other:.80}", source.display()),
        };
        names.extend(endings.iter().map(|ending| format!("{}.{ending}", quoted(rest).0)));
    }
    names.extend(code.split("include_str!(\"sql/").skip(1).map(|rest| quoted(rest).0.to_owned()));
    names.into_iter().map(|name| source.with_file_name("sql").join(name)).collect()
}

/// The macro finds no file that is missing, but it does not see one that nobody names any more.
#[test]
fn every_file_is_named_beside_it() {
    let stored: BTreeSet<PathBuf> = files("sql").into_iter().collect();
    // This file speaks of the macro without a name.
    let sources = files("rs").into_iter().filter(|source| !source.ends_with("statement_files.rs"));
    let named: BTreeSet<PathBuf> = sources.flat_map(|source| named(&source)).collect();
    let unnamed: Vec<_> = stored.difference(&named).collect();
    assert!(unnamed.is_empty(), "nothing names {unnamed:#?}");
    let missing: Vec<_> = named.difference(&stored).collect();
    assert!(missing.is_empty(), "there is no {missing:#?}");
}

/// A parameter that is bound but never named, or the other way round, fails only when the statement is run.
#[test]
fn parameters_are_numbered_without_gaps() {
    // Together with what `registry/queries.rs` appends they name all.
    let whole =
        |path: &PathBuf| !["module_sites.sql", "version_ids_between.sql"].iter().any(|part| path.ends_with(part));
    for path in files("sql").into_iter().filter(whole) {
        let sql = code(&path, "--");
        let number = |rest: &str| rest.chars().take_while(char::is_ascii_digit).collect::<String>();
        let numbers: BTreeSet<usize> = sql.split('$').skip(1).map(|rest| number(rest).parse().unwrap()).collect();
        assert!(numbers.iter().copied().eq(1..=numbers.len()), "{}: {numbers:?}", path.display());
    }
}
