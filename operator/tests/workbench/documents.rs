//! docs/testing.md says what is so: its files, its results and its commands.

use crate::authctl::{authctl, folder, root};

/// The blocks of the page: what is behind the fence, and the text.
fn blocks() -> Vec<(String, String)> {
    let page = std::fs::read_to_string(root().join("docs/testing.md")).unwrap();
    let mut blocks = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        let Some(info) = line.strip_prefix("```").filter(|info| !info.is_empty()) else { continue };
        let text: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        blocks.push((info.to_owned(), text.join("\n") + "\n"));
    }
    blocks
}

#[test]
fn the_first_test_fails_as_the_page_shows_and_faults_are_those_of_the_page() {
    let blocks = blocks();
    let config = blocks.iter().find(|(info, _)| info == "yaml").unwrap();
    let mut shown = 0;
    for (index, (info, text)) in blocks.iter().enumerate() {
        if !info.starts_with("yaml tests") {
            continue;
        }
        let folder = folder("documents", &[("authorizer.yaml", &config.1), ("authorizer.test.yaml", text)]);
        let said = authctl(&folder, &["test"], &[]);
        let expected = &blocks[index + 1].1;
        let told = if info.ends_with("fault") { &said.complaint } else { &said.out };
        assert!(told.contains(expected.as_str()), "{told}\nshould have\n{expected}");
        shown += 1;
    }
    assert_eq!(shown, 2);
}

#[test]
fn every_command_of_the_page_runs_in_the_repository() {
    let folder = folder("commands", &[]);
    let mut run = 0;
    for (info, text) in blocks() {
        if info != "sh" {
            continue;
        }
        for line in text.lines() {
            let mut words = words(line);
            assert_eq!(words.remove(0), "authctl", "{line}");
            if let Some(position) = words.iter().position(|word| word == "--output") {
                words[position + 1] = folder.join("matrix.html").display().to_string();
            }
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let said = authctl(&root(), &words, &[]);
            assert_eq!((said.status, &*said.complaint), (Some(0), ""), "{line}\n{}", said.out);
            run += 1;
        }
    }
    assert!(run >= 10, "{run}");
}

/// As a shell takes them apart, as far as this page goes.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (index, part) in line.split('\'').enumerate() {
        if index % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}
