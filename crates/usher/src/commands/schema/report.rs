//! Results of tests, for people, in TAP and in JUnit's form.

use owo_colors::OwoColorize;

use crate::view::line;

/// How results are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Report {
    /// A line for each person, and what differs.
    #[default]
    People,
    /// Test Anything Protocol, version 14.
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
        wrong.iter().for_each(|line| out.push_str(&format!("    {line}\n")));
    }
    let failed = outcomes.iter().filter(|one| !one.wrong.is_empty()).count();
    out.push_str(&format!("{} passed, {failed} failed\n", outcomes.len() - failed));
    out
}

fn tap(outcomes: &[Outcome]) -> String {
    let mut out = format!("TAP version 14\n1..{}\n", outcomes.len());
    for (number, Outcome { file, name, wrong }) in (1..).zip(outcomes) {
        let word = if wrong.is_empty() { "ok" } else { "not ok" };
        // A number sign begins a directive.
        let title = line(&format!("{file}: {name}")).replace('\\', "\\\\").replace('#', "\\#");
        out.push_str(&format!("{word} {number} - {title}\n"));
        if !wrong.is_empty() {
            out.push_str("  ---\n  differences:\n");
            wrong.iter().for_each(|line| {
                out.push_str(&format!("    - {}\n", serde_json::Value::from(line.as_str())));
            });
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
            escaped(file),
            own.len(),
            failed(&own)
        ));
        for one in own {
            let head =
                format!("    <testcase classname=\"{}\" name=\"{}\"", escaped(file), escaped(&one.name));
            if one.wrong.is_empty() {
                out.push_str(&format!("{head}/>\n"));
            } else {
                out.push_str(&format!(
                    "{head}>\n      <failure message=\"{}\">{}</failure>\n    </testcase>\n",
                    escaped(&one.wrong[0]),
                    escaped(&one.wrong.join("\n"))
                ));
            }
        }
        out.push_str("  </testsuite>\n");
    }
    out.push_str("</testsuites>\n");
    out
}

/// A text as XML 1.0 takes it in attributes and elements.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push_str("&#10;"),
            control if control.is_control() || matches!(control, '\u{fffe}' | '\u{ffff}') => {
                out.push('\u{fffd}')
            }
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
    fn tap_and_junit_are_well_formed_whatever_the_names() {
        check(
            Report::Tap,
            expect![[r#"
                TAP version 14
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
}
