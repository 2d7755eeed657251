//! Results of tests, for people, in TAP and in JUnit's form.

use owo_colors::OwoColorize;

use crate::view::line;

/// How results are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Report {
    /// A line for each person, and what differs.
    #[default]
    People,
    /// Test Anything Protocol, version 13, which every reader knows.
    Tap,
    /// The XML that CI systems read.
    Junit,
}

/// The result of one person.
pub struct Outcome {
    /// The file's title.
    pub file: String,
    /// The person's name.
    pub name: String,
    /// What is wrong; nothing when it is as expected.
    pub wrong: Vec<String>,
}

/// Prints all results.
pub fn print(report: Report, outcomes: &[Outcome]) {
    anstream::print!("{}", text(report, outcomes));
}

fn text(report: Report, outcomes: &[Outcome]) -> String {
    match report {
        Report::People => people(outcomes),
        Report::Tap => tap(outcomes),
        Report::Junit => junit(outcomes),
    }
}

fn people(outcomes: &[Outcome]) -> String {
    let mut out = String::new();
    for Outcome { file, name, wrong } in outcomes {
        let mark = if wrong.is_empty() { "✓".green().to_string() } else { "✗".red().to_string() };
        out.push_str(&format!("{mark} {}: {}\n", line(file), line(name)));
        wrong.iter().for_each(|what| out.push_str(&format!("    {}\n", line(what))));
    }
    let failed = outcomes.iter().filter(|one| !one.wrong.is_empty()).count();
    out.push_str(&format!("{} passed, {failed} failed\n", outcomes.len() - failed));
    out
}

fn tap(outcomes: &[Outcome]) -> String {
    let mut out = format!("TAP version 13\n1..{}\n", outcomes.len());
    for (number, Outcome { file, name, wrong }) in (1..).zip(outcomes) {
        let word = if wrong.is_empty() { "ok" } else { "not ok" };
        // A number sign begins a directive.
        let title = line(&format!("{file}: {name}")).replace('\\', "\\\\").replace('#', "\\#");
        out.push_str(&format!("{word} {number} - {title}\n"));
        if !wrong.is_empty() {
            out.push_str("  ---\n  differences:\n");
            wrong.iter().for_each(|what| out.push_str(&format!("    - {}\n", quoted(what))));
            out.push_str("  ...\n");
        }
    }
    out
}

fn junit(outcomes: &[Outcome]) -> String {
    let failed = |outcomes: &[&Outcome]| outcomes.iter().filter(|one| !one.wrong.is_empty()).count();
    let all: Vec<&Outcome> = outcomes.iter().collect();
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"usher schema test\" tests=\"{}\" failures=\"{}\">\n",
        all.len(),
        failed(&all)
    );
    let mut files: Vec<&str> = outcomes.iter().map(|one| one.file.as_str()).collect();
    files.dedup();
    for file in files {
        let own: Vec<&Outcome> = outcomes.iter().filter(|one| one.file == file).collect();
        out.push_str(&format!(
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\">\n",
            escaped(&line(file)),
            own.len(),
            failed(&own)
        ));
        for one in own {
            let head = format!(
                "    <testcase classname=\"{}\" name=\"{}\"",
                escaped(&line(file)),
                escaped(&line(&one.name))
            );
            let wrong: Vec<String> = one.wrong.iter().map(|what| escaped(&line(what))).collect();
            match wrong.first() {
                None => out.push_str(&format!("{head}/>\n")),
                Some(first) => out.push_str(&format!(
                    "{head}>\n      <failure message=\"{first}\">{}</failure>\n    </testcase>\n",
                    wrong.join("&#10;")
                )),
            }
        }
        out.push_str("  </testsuite>\n");
    }
    out.push_str("</testsuites>\n");
    out
}

/// A text in quotes as both JSON and YAML take it.
fn quoted(text: &str) -> String {
    let json = serde_json::Value::from(line(text)).to_string();
    // YAML takes these escaped only.
    json.replace('\u{feff}', "\\ufeff").replace('\u{fffe}', "\\ufffe").replace('\u{ffff}', "\\uffff")
}

/// A text without control characters as XML 1.0 takes it in attributes and elements.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\u{fffe}' | '\u{ffff}' => out.extend(character.escape_default()),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn check(report: Report, expected: Expect) {
        let outcome = |name: &str, wrong: &[&str]| Outcome {
            file: "joiners".to_owned(),
            name: name.to_owned(),
            wrong: wrong.iter().map(|line| (*line).to_owned()).collect(),
        };
        let outcomes = [outcome("Ann <& \"Co\" #1", &[]), outcome("Bob", &["title was \"a\" and is \"b\""])];
        expected.assert_eq(&text(report, &outcomes));
    }

    #[test]
    fn what_others_named_cannot_look_like_our_own_lines() {
        use crate::view::tests::{hostile, is_harmless};
        let outcome =
            Outcome { file: hostile("joiners"), name: hostile("Ann"), wrong: vec![hostile("title was")] };
        is_harmless("people", &text(Report::People, &[outcome]));
    }

    #[test]
    fn tap_and_junit_are_well_formed_whatever_the_names() {
        check(
            Report::Tap,
            expect![[r#"
                TAP version 13
                1..2
                ok 1 - joiners: Ann <& "Co" \#1
                not ok 2 - joiners: Bob
                  ---
                  differences:
                    - "title was \"a\" and is \"b\""
                  ...
            "#]],
        );
        check(
            Report::Junit,
            expect![[r#"
                <?xml version="1.0" encoding="UTF-8"?>
                <testsuites name="usher schema test" tests="2" failures="1">
                  <testsuite name="joiners" tests="2" failures="1">
                    <testcase classname="joiners" name="Ann &lt;&amp; &quot;Co&quot; #1"/>
                    <testcase classname="joiners" name="Bob">
                      <failure message="title was &quot;a&quot; and is &quot;b&quot;">title was &quot;a&quot; and is &quot;b&quot;</failure>
                    </testcase>
                  </testsuite>
                </testsuites>
            "#]],
        );
    }

    fn outcome(file: &str, name: &str, wrong: &[&str]) -> Outcome {
        Outcome {
            file: file.to_owned(),
            name: name.to_owned(),
            wrong: wrong.iter().map(|line| (*line).to_owned()).collect(),
        }
    }

    /// Reads a report back: what each person is called, and what is wrong with it.
    fn read_junit(text: &str) -> Vec<(String, Vec<String>)> {
        let document = roxmltree::Document::parse(text).expect("it is XML");
        let cases = document.descendants().filter(|node| node.has_tag_name("testcase"));
        let failure = |node: roxmltree::Node<'_, '_>| {
            let failure = node.children().find(|child| child.has_tag_name("failure"));
            failure.map(|failure| failure.text().unwrap_or_default().split('\n').map(str::to_owned).collect())
        };
        cases
            .map(|case| {
                let name = format!(
                    "{}: {}",
                    case.attribute("classname").expect("it has one"),
                    case.attribute("name").expect("it has one")
                );
                (name, failure(case).unwrap_or_default())
            })
            .collect()
    }

    /// The same of a report in TAP, by its specification: escapes of `#` and `\\`, and YAML between `---` and `...`.
    fn read_tap(text: &str) -> Vec<(String, Vec<String>)> {
        let mut lines = text.lines();
        assert_eq!(lines.next(), Some("TAP version 13"));
        let count: usize = lines
            .next()
            .and_then(|plan| plan.strip_prefix("1.."))
            .expect("a plan")
            .parse()
            .expect("a number");
        let mut cases: Vec<(String, Vec<String>)> = Vec::new();
        while let Some(line) = lines.next() {
            if line == "  ---" {
                let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "  ...").collect();
                let block: serde_json::Value =
                    serde_yaml_ng::from_str(&block.join("\n")).expect("it is YAML");
                let told = block["differences"].as_array().expect("a list").iter();
                cases.last_mut().expect("a line before").1 =
                    told.map(|what| what.as_str().expect("a text").to_owned()).collect();
                continue;
            }
            let number = cases.len() + 1;
            let title = line.strip_prefix("not ").unwrap_or(line).strip_prefix(&format!("ok {number} - "));
            let (mut name, mut is_escaped) = (String::new(), false);
            for letter in title.expect(line).chars() {
                assert!(is_escaped || letter != '#', "a directive: {line}");
                if is_escaped || letter != '\\' {
                    name.push(letter);
                }
                is_escaped = letter == '\\' && !is_escaped;
            }
            cases.push((name, Vec::new()));
        }
        assert_eq!(cases.len(), count);
        cases
    }

    fn survives(outcomes: &[Outcome]) {
        let line_of = |outcome: &Outcome| {
            (
                line(&format!("{}: {}", outcome.file, outcome.name)),
                outcome.wrong.iter().map(|what| line(what)).collect(),
            )
        };
        let expected: Vec<(String, Vec<String>)> = outcomes.iter().map(line_of).collect();
        assert_eq!(read_tap(&text(Report::Tap, outcomes)), expected);
        // XML holds all but two characters, and lines as lines.
        let plain = |text: &str| text.replace('\u{fffe}', "\\u{fffe}").replace('\u{ffff}', "\\u{ffff}");
        let expected: Vec<(String, Vec<String>)> = expected
            .iter()
            .map(|(name, wrong)| (plain(name), wrong.iter().map(|what| plain(what)).collect()))
            .collect();
        assert_eq!(read_junit(&text(Report::Junit, outcomes)), expected);
    }

    #[test]
    fn hostile_names_come_back_from_other_readers() {
        let hostile = [
            "]]>",
            "<!--",
            "-->",
            "&amp;",
            "a \"b\" 'c'",
            "# SKIP",
            "a # SKIP b",
            "\\#",
            "ends in \\",
            "a\nok 2 - b",
            "a\r\nb",
            "\u{0}\u{1}\u{b}",
            "\u{1b}[2J",
            "\u{7f}\u{85}\u{9b}",
            "\u{fffe}\u{ffff}",
            "\u{2028}",
            "\u{feff}",
            "  ---",
            "  ...",
            "",
            "\t",
            " two  blanks ",
            "ä😀",
        ];
        for name in hostile {
            survives(&[
                outcome(name, "Ann", &[]),
                outcome(name, name, &["title was \"a\" and is \"b\"", name]),
            ]);
        }
    }

    proptest::proptest! {
        #[test]
        fn any_names_come_back_from_other_readers(file in "\\PC*|(?s).{0,8}", name in "(?s).{0,12}", what in "(?s).{1,12}") {
            survives(&[outcome(&file, &name, &[]), outcome(&file, &what, &[&name, &what])]);
        }
    }
}
