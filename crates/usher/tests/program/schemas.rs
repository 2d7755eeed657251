//! Schemas tried on people, without any server; and the examples of the guide, run as they stand.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::world::{Ran, finish, program};

const SCHEMA: &str = include_str!("../../../usher-core/src/templates/scim.json");

struct Folder(TempDir);

impl Folder {
    /// A repository as the guide has it: `provisioning` with schema, people and expectations.
    fn guide() -> Self {
        let folder = Self(TempDir::new().expect("a folder can be made"));
        folder.write("provisioning/schema.json", SCHEMA);
        for name in ["people.yaml", "people.expected.json"] {
            let text = std::fs::read_to_string(examples().join("provisioning").join(name));
            folder.write(&format!("provisioning/{name}"), &text.unwrap_or_default());
        }
        folder
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path = self.0.path().join(name);
        std::fs::create_dir_all(path.parent().expect("it has a folder")).expect("it is made");
        std::fs::write(&path, text).expect("it is written");
        path.display().to_string()
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.0.path().join(name)).expect("it is there")
    }

    fn run(&self, words: &[&str]) -> Ran {
        let mut command = program();
        command.args(words).current_dir(self.0.path()).env("USHER_CONFIG_DIR", "/nonexistent/usher-test");
        finish(command, "")
    }
}

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guide/ci")
}

/// The words of a command line of the examples, and where its output goes.
fn words(line: &str) -> (Vec<&str>, Option<&str>) {
    let (command, file) = match line.split_once('>') {
        Some((command, file)) => (command, Some(file.trim())),
        None => (line, None),
    };
    (command.split_whitespace().collect(), file)
}

#[test]
fn the_github_actions_example_runs() {
    let text = std::fs::read_to_string(examples().join("github-actions.yml")).expect("it is there");
    let workflow: Value = serde_yaml_ng::from_str(&text).expect("it is YAML");
    let folder = Folder::guide();
    let mut count = 0;
    for step in workflow["jobs"]["test"]["steps"].as_array().expect("it has steps") {
        let Some(line) = step["run"].as_str() else { continue };
        let (words, file) = words(line);
        assert_eq!(words[0], "usher", "{line}");
        let ran = folder.run(&words[1..]);
        let may_fail = step["continue-on-error"] == true;
        assert!(ran.code == 0 || may_fail, "{line}: {}{}", ran.out, ran.err);
        if file.is_some() {
            assert!(
                ran.out.contains("<testsuite name=\"people\" tests=\"5\" failures=\"0\">"),
                "{}",
                ran.out
            );
        }
        count += 1;
    }
    assert_eq!(count, 3);
}

#[test]
fn the_pre_commit_example_runs_and_stops_a_commit_that_breaks_an_expectation() {
    let text = std::fs::read_to_string(examples().join("pre-commit-config.yaml")).expect("it is there");
    let hooks: Value = serde_yaml_ng::from_str(&text).expect("it is YAML");
    let hooks = hooks["repos"][0]["hooks"].as_array().expect("it has hooks");
    let entries: Vec<&str> = hooks.iter().map(|hook| hook["entry"].as_str().expect("a command")).collect();
    let folder = Folder::guide();
    for entry in &entries {
        let ran = folder.run(&words(entry).0[1..]);
        assert_eq!(ran.code, 0, "{entry}: {}{}", ran.out, ran.err);
    }
    let changed = SCHEMA.replacen("[jobTitle]", "[department]", 2);
    assert_ne!(changed, SCHEMA);
    folder.write("provisioning/schema.json", &changed);
    let ran = folder.run(&words(entries[1]).0[1..]);
    assert_eq!(ran.code, 1, "{}", ran.out);
    assert!(
        ran.out.contains("✗ people: Adele joins\n    account title was \"Retail Manager\" and is \"Retail\""),
        "{}",
        ran.out
    );
    let request = "    requests[0].body.title was \"Retail Manager\" and is \"Retail\"\n";
    assert!(ran.out.contains(request), "{}", ran.out);
    assert!(ran.out.contains("    requests[0] was {\"method\":\"PATCH\""), "{}", ran.out);
}

#[test]
fn expectations_are_written_on_request_and_comments_of_people_stay() {
    let folder = Folder::guide();
    let expected = folder.read("provisioning/people.expected.json");
    folder.write("provisioning/people.expected.json", "{}");
    let ran = folder.run(&["schema", "test", "provisioning", "--output", "tap"]);
    assert_eq!(ran.code, 1);
    assert!(ran.out.starts_with("TAP version 13\n1..5\nnot ok 1 - people: Adele joins\n"), "{}", ran.out);
    assert!(ran.out.contains("nothing is expected yet"), "{}", ran.out);
    let ran = folder.run(&["schema", "test", "provisioning", "--update"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert_eq!(folder.read("provisioning/people.expected.json"), expected, "the guide's is up to date");
    assert!(folder.read("provisioning/people.yaml").starts_with("# People"));

    let outcome: Value = serde_json::from_str(&expected).expect("it is JSON");
    assert_eq!(outcome["Adele joins"]["action"], "create");
    assert_eq!(outcome["Adele joins"]["requests"][0]["method"], "POST");
    assert_eq!(outcome["Adele joins"]["requests"][1]["path"], "/Users/@new-account");
    assert_eq!(outcome["Alex is not assigned"]["skip"], "NotEffectivelyEntitled");
    assert_eq!(outcome["Megan gets another title"]["account"]["title"], "Marketing Manager");
    assert_eq!(outcome["Lee leaves"]["action"], "disable");
    assert_eq!(outcome["Diego is gone"]["action"], "delete");
}

#[test]
fn mistakes_in_people_are_told_with_their_place() {
    let folder = Folder::guide();
    for (text, says) in [
        ("people: 1", "neither a list of people"),
        ("", "neither a list of people"),
        ("- source: {}", "person 1: it has no 'name'"),
        ("- name: a", "person 1: it has no 'source'"),
        ("- {name: a, source: {}, asigned: true}", "'asigned' is not known here"),
        ("- {name: a, source: {}, assigned: maybe}", "'assigned' is neither true nor false"),
        ("- {name: a, source: {}}\n- {name: a, source: {}}", "two people are called 'a'"),
        ("now: yesterday\npeople: []", "'now' is no instant"),
        ("people: []", "it names nobody"),
        ("- {name: a, source: {}, type: Usr}", "person 1 ('a'): the schema has no source object 'Usr'"),
        ("- {name: a, source: {}, rule: first}", "the schema has no rule 'first'; there are: "),
        (
            "- {name: a, source: {jobTitel: x}}",
            "'jobTitel' is no attribute of User in the schema; did you mean 'jobTitle'?",
        ),
        ("- {name: a, source: {}, account: {titel: x}}", "'titel' is no attribute of the account"),
        ("- {name: a, source: {}, taken: {titel: x}}", "'titel' is no attribute of the account"),
        ("{", "people.yaml"),
        (
            "- name: a\n  source:\n    mail: x\n    mail: y",
            "people.yaml: .[0].source: the key 'mail' stands here a second time at line 4",
        ),
        (
            "- {name: a, source: {mail: x, Mail: y}}",
            "'Mail' is given twice; the case of names does not count",
        ),
        (
            "settings: {BaseAddress: x}\npeople: [{name: a, source: {}}]",
            "but no 'connector' that would read them",
        ),
        (
            "connector: skim\npeople: [{name: a, source: {}}]",
            "there is no connector 'skim'; did you mean 'scim'?",
        ),
        (
            "connector: scim\nsettings: {BaseAdress: x}\npeople: [{name: a, source: {}}]",
            "the connector 'scim' has no setting 'BaseAdress'; did you mean 'BaseAddress'?",
        ),
        (
            "connector: scim\nsettings: {BaseAddress: [x]}\npeople: [{name: a, source: {}}]",
            "'BaseAddress' is no text",
        ),
        (
            "connector: scim\nsettings: BaseAddress\npeople: [{name: a, source: {}}]",
            "'settings' is no object",
        ),
        ("connector: workday\npeople: [{name: a, source: {}}]", "the connector 'workday' writes nothing"),
        ("connector: entra\npeople: [{name: a, source: {}}]", "hint: give it in the file's 'settings'"),
        ("connector: [scim]\npeople: [{name: a, source: {}}]", "'connector' is no text"),
        ("now: [1]\npeople: [{name: a, source: {}}]", "'now' is no text"),
        ("- {name: [a], source: {}}", "person 1: 'name' is no text"),
        ("- {name: a, source: {}, accounts: [b]}", "'accounts' is no object"),
        ("- {name: a, source: {}, accounts: {b: [c]}}", "the account of 'b' in 'accounts' is no text"),
        ("- {name: a, source: {}, taken: b}", "'taken' is no object"),
        ("- {name: a, source: {}, account: true}", "'account' is no object of attributes"),
        ("- {name: a, source: {}, paired: false}", "it has 'paired', but no 'account'"),
        (
            "- {name: a, source: {accountEnabled: \"no\"}}",
            "'accountEnabled' of User is a boolean: write true or false",
        ),
        ("- {name: a, source: {accountEnabled: 1}}", "'accountEnabled' of User is a boolean"),
        ("- {name: a, source: {jobTitle: 7}}", "'jobTitle' of User is a text: write it in quotes, not 7"),
        ("- {name: a, source: {jobTitle: [x, y]}}", "'jobTitle' of User takes one value, but has 2"),
        ("- {name: a, source: {proxyAddresses: [[x], y]}}", "'proxyAddresses' of User holds a list or null"),
        ("- {name: a, source: {employeeHireDate: soon}}", "'employeeHireDate' of User is a date"),
        ("- {name: a, source: {}, account: {active: \"yes\"}}", "'active' of the account is a boolean"),
        ("- {name: a, source: {}, account: {userName: 7}}", "'userName' of the account is a text"),
        ("- {name: a, source: {}, taken: {userName: [x, 7]}}", "'userName' of the account is a text"),
    ] {
        folder.write("provisioning/people.yaml", text);
        for update in
            [&["schema", "test", "provisioning"][..], &["schema", "test", "provisioning", "--update"]]
        {
            let ran = folder.run(update);
            assert_eq!(ran.code, 1, "{text}: {}{}", ran.out, ran.err);
            assert!(ran.err.contains(says), "{says}: {}", ran.err);
        }
    }
    let ran = folder.run(&["schema", "test", "nosuch"]);
    assert!(ran.code == 1 && ran.err.contains("there is no folder or file 'nosuch'"), "{}", ran.err);
    let empty = TempDir::new().expect("a folder can be made");
    let schema = folder.write("schema.json", SCHEMA);
    let ran = folder.run(&["schema", "test", &empty.path().display().to_string(), "--schema", &schema]);
    assert!(ran.code == 1 && ran.err.contains("holds no people"), "{}", ran.err);
}

#[test]
fn two_files_do_not_share_their_expectations() {
    let folder = Folder::guide();
    folder.write("provisioning/people.json", r#"[{ "name": "Ann", "source": {} }]"#);
    let before = folder.read("provisioning/people.expected.json");
    for what in ["provisioning", "provisioning/people.yaml", "provisioning/people.json"] {
        let ran = folder.run(&["schema", "test", what, "--update"]);
        assert_eq!(ran.code, 1, "{what}: {}", ran.out);
        assert!(
            ran.err.contains("would share the expectations provisioning/people.expected.json"),
            "{}",
            ran.err
        );
    }
    assert_eq!(folder.read("provisioning/people.expected.json"), before, "nothing is overwritten");
    let ran = folder.run(&[
        "schema",
        "diff",
        "provisioning/schema.json",
        "provisioning/schema.json",
        "--people",
        "provisioning",
    ]);
    assert_eq!(ran.code, 0, "expectations do not count here: {}", ran.err);
}

#[test]
fn a_schema_among_the_people_is_none_of_them() {
    let folder = Folder::guide();
    folder.write("provisioning/new.json", SCHEMA);
    let ran = folder.run(&["schema", "test", "provisioning", "--schema", "provisioning/new.json"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let ran = folder.run(&[
        "schema",
        "diff",
        "provisioning/schema.json",
        "provisioning/new.json",
        "--people",
        "provisioning",
    ]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
}

#[test]
fn expectations_that_cannot_be_read_are_not_taken_for_none() {
    let folder = Folder::guide();
    for (text, says) in [
        (
            "{\n\"Adele joins\": {},\n\"Adele joins\": {}}",
            "the key 'Adele joins' stands here a second time at line 3",
        ),
        ("[]", "it is no object of people's names"),
        ("{", "people.expected.json"),
    ] {
        folder.write("provisioning/people.expected.json", text);
        let ran = folder.run(&["schema", "test", "provisioning", "--update"]);
        assert_eq!(ran.code, 1, "{}", ran.out);
        assert!(ran.err.contains(says), "{says}: {}", ran.err);
    }
}

#[test]
fn two_schemas_are_compared_person_by_person() {
    let folder = Folder::guide();
    let (old, people) = ("provisioning/schema.json", "provisioning/people.yaml");
    let ran = folder.run(&["schema", "diff", old, old, "--people", people]);
    assert_eq!((ran.code, ran.out.as_str()), (0, "0 of 5 people come out differently\n"));
    let ran = folder.run(&["schema", "diff", old, old, "--people", people, "--people", people]);
    assert_eq!(ran.out, "0 of 5 people come out differently\n", "nobody counts twice");
    folder.write("new.json", &SCHEMA.replacen("[jobTitle]", "[department]", 2));
    let ran = folder.run(&["schema", "diff", old, "new.json", "--people", people]);
    assert_eq!(ran.code, 2, "{}{}", ran.out, ran.err);
    assert!(
        ran.out.contains("~ Adele joins\n    account title was \"Retail Manager\" and is \"Retail\"\n"),
        "{}",
        ran.out
    );
    let ran = folder.run(&["schema", "diff", old, "new.json", "--people", people, "--output", "json"]);
    let told: Value = serde_json::from_str(&ran.out).expect("it is JSON");
    assert_eq!(told[0]["differences"][0]["new"], "Retail");
    folder.write("broken.json", "{");
    assert_eq!(folder.run(&["schema", "diff", old, "broken.json", "--people", people]).code, 1);
    assert_eq!(folder.run(&["schema", "diff", old]).code, 1, "2 would mean a difference");
}

#[test]
fn a_comparison_says_what_of_it_cannot_be_used() {
    let folder = Folder::guide();
    let (schema, people) = ("provisioning/schema.json", "provisioning/people.yaml");
    folder.write("empty.yaml", "people: []");
    folder.write("martian.yaml", "- {name: a, type: Martian, source: {}}");
    folder.write("ruled.yaml", "- {name: a, rule: nosuch, source: {}}");
    folder.write("twice.json", r#"[{ "name": "a", "name": "b", "source": {} }]"#);
    folder.write("list.json", "[]");
    folder.write("bytes.json", "\u{0}\u{1}");
    for (words, says) in [
        (vec![schema, "nosuch.json", "--people", people], "cannot read nosuch.json"),
        (vec!["list.json", schema, "--people", people], "list.json has errors"),
        (vec![schema, "bytes.json", "--people", people], "bytes.json has errors"),
        (vec![schema, "provisioning", "--people", people], "cannot read provisioning"),
        (vec![schema, schema, "--people", "nosuch.yaml"], "there is no folder or file 'nosuch.yaml'"),
        (vec![schema, schema, "--people", "empty.yaml"], "empty.yaml: it names nobody"),
        (
            vec![schema, schema, "--people", "martian.yaml"],
            "the schema has no source object 'Martian'; there are: User, Group",
        ),
        (vec![schema, schema, "--people", "ruled.yaml"], "the schema has no rule 'nosuch'"),
        (
            vec![schema, schema, "--people", "twice.json"],
            "the key 'name' stands here a second time at line 1",
        ),
        (vec![schema, schema, "--people", schema], "provisioning/schema.json: "),
    ] {
        let ran = folder.run(&[&["schema", "diff"][..], &words].concat());
        assert_eq!(ran.code, 1, "2 would mean a difference: {words:?} {}", ran.out);
        assert!(ran.err.contains(says), "{says}: {}", ran.err);
    }
}

#[test]
fn a_schema_in_which_a_key_stands_twice_is_used_by_nothing() {
    let folder = Folder::guide();
    let (schema, people) = ("provisioning/schema.json", "provisioning/people.yaml");
    let text = folder.read(schema);
    let twice = text.replacen("\"directories\"", "\"synchronizationRules\": [], \"directories\"", 1);
    folder.write("twice.json", &twice);
    for words in [
        &["schema", "diff", schema, "twice.json", "--people", people][..],
        &["schema", "diff", "twice.json", schema, "--people", people],
        &["schema", "replay", "twice.json", "--app", "hr-portal"],
        &["schema", "test", "provisioning", "--schema", "twice.json"],
    ] {
        let ran = folder.run(words);
        assert_eq!(ran.code, 1, "{words:?}: {}{}", ran.out, ran.err);
        assert!(
            ran.err.contains("twice.json has errors: $.synchronizationRules: this member stands twice"),
            "{words:?}: {}",
            ran.err
        );
    }
    for words in [
        &["schema", "check", "twice.json"][..],
        &["schema", "lint", "twice.json"],
        &["schema", "set", "twice.json", "--app", "hr-portal"],
    ] {
        let ran = folder.run(words);
        assert_eq!(ran.code, 1, "{words:?}: {}{}", ran.out, ran.err);
        assert!(ran.out.contains("duplicateMember"), "{words:?}: {}", ran.out);
    }
}

#[test]
fn a_replay_says_what_is_wrong_before_it_asks_the_service() {
    let folder = Folder::guide();
    folder.write("broken.json", "{");
    for (file, says) in [
        ("nosuch.json", "cannot read nosuch.json"),
        ("broken.json", "broken.json has errors"),
        ("provisioning/people.yaml", "provisioning/people.yaml has errors"),
        ("provisioning/schema.json", "usher connect"),
    ] {
        let ran = folder.run(&["schema", "replay", file, "--app", "hr-portal"]);
        assert_eq!(ran.code, 1, "2 would mean a difference: {}", ran.out);
        assert!(ran.err.contains(says), "{says}: {}", ran.err);
    }
}

#[test]
fn a_rule_that_one_schema_lacks_is_told_as_such() {
    let folder = Folder::guide();
    let mut schema: Value = serde_json::from_str(SCHEMA).expect("it is JSON");
    schema["synchronizationRules"][0]["id"] = json!("other");
    folder.write("new.json", &schema.to_string());
    let rule: Value = serde_json::from_str(SCHEMA).expect("it is JSON");
    let rule = &rule["synchronizationRules"][0]["id"];
    folder.write(
        "one.json",
        &json!([{ "name": "Ann\n~ Bob", "rule": rule, "source": { "userPrincipalName": "a" } }]).to_string(),
    );
    folder.write(
        "two.json",
        &json!([{ "name": "Ann", "rule": rule, "source": { "userPrincipalName": "a" } }]).to_string(),
    );
    let words = [
        "schema",
        "diff",
        "provisioning/schema.json",
        "new.json",
        "--people",
        "one.json",
        "--people",
        "two.json",
    ];
    let ran = folder.run(&words);
    assert_eq!(ran.code, 2, "{}", ran.err);
    assert!(ran.out.contains("~ two: Ann\n") && ran.out.contains("~ one: Ann\\n~ Bob\n"), "{}", ran.out);
    let says =
        format!("the schema has no rule {rule} that provisions objects of this type").replace('"', "'");
    assert!(ran.out.contains(&says), "{says}: {}", ran.out);
}

#[test]
fn reports_are_read_by_others_whatever_people_are_called() {
    let folder = Folder::guide();
    let name = "]]> <b> &amp; \"x\" # SKIP \u{1b}[2J\u{0}\r\nok 7";
    folder.write("provisioning/people.yaml", &json!([{ "name": name, "source": {} }]).to_string());
    folder.write("provisioning/people.expected.json", "{}");
    let ran = folder.run(&["schema", "test", "provisioning", "--output", "tap"]);
    assert_eq!(
        (ran.code, ran.out.lines().filter(|line| line.contains("ok ")).count()),
        (1, 1),
        "{}",
        ran.out
    );
    let ran = folder.run(&["schema", "test", "provisioning", "--output", "junit"]);
    let report = roxmltree::Document::parse(&ran.out).expect("it is XML");
    let case = report.descendants().find(|node| node.has_tag_name("testcase")).expect("it has one");
    let escaped = "]]> <b> &amp; \"x\" # SKIP \\u{1b}[2J\\u{0}\\r\\nok 7";
    assert_eq!(case.attribute("name"), Some(escaped));
}

#[test]
fn lint_lists_what_checking_lists_and_the_guide_knows_its_rules() {
    let folder = Folder::guide();
    folder.write("broken.json", "{");
    let ran = folder.run(&["schema", "lint", "broken.json"]);
    assert_eq!(ran.code, 1);
    assert!(ran.out.starts_with("error: broken.json:1:"), "{}{}", ran.out, ran.err);
    let mut schema: Value = serde_json::from_str(SCHEMA).expect("it is JSON");
    schema["synchronizationRules"][0]["objectMappings"][0]["attributeMappings"][0]["targetAttributeName"] =
        json!("nosuch");
    folder.write("odd.json", &schema.to_string());
    let checked = folder.run(&["schema", "check", "odd.json"]);
    assert_eq!(checked.code, 0, "warnings do not keep a schema from running: {}", checked.out);
    let linted = folder.run(&["schema", "lint", "odd.json"]);
    assert_eq!(linted.code, 1);
    for line in checked.out.lines().filter(|line| line.starts_with("warning")) {
        assert_eq!(linted.out.matches(line).count(), 1, "{line}");
    }
    let guide = std::fs::read_to_string(examples().join("../schema-tests.md")).expect("it is there");
    for (rule, what) in usher_core::schema::LINT_RULES {
        assert!(guide.contains(&format!("| `{rule}` | {what}")), "{rule}: {what}");
    }
}

#[test]
fn lint_finds_what_nothing_reaches_what_is_never_written_and_what_can_fail() {
    let folder = Folder::guide();
    let mut schema: Value = serde_json::from_str(SCHEMA).expect("it is JSON");
    let mapping = &mut schema["synchronizationRules"][0]["objectMappings"][0];
    let attributes = mapping["attributeMappings"].as_array_mut().expect("a list");
    let expression = |target: &str, expression: &str| {
        json!({
            "targetAttributeName": target, "matchingPriority": 0, "flowType": "Always",
            "flowBehavior": "FlowWhenChanged", "source": { "type": "Function", "name": "x", "expression": expression },
        })
    };
    attributes.push(expression("title", "FormatDateTime([employeeHireDate], , \"yyyy\", \"MM\")"));
    attributes.push(json!({
        "targetAttributeName": "nickName", "matchingPriority": 0, "flowType": "Always",
        "flowBehavior": "FlowWhenChanged", "source": null,
    }));
    let clause = |operand: &str| {
        json!({
            "sourceOperandName": "department", "operatorName": "EQUALS",
            "targetOperand": { "values": [operand] },
        })
    };
    mapping["scope"] = json!({ "groups": [{ "name": "g", "clauses": [clause("Sales"), clause("Retail")] }] });
    let again = mapping.clone();
    schema["synchronizationRules"][0]["objectMappings"].as_array_mut().expect("a list").push(again);
    let file = folder.write("odd.json", &schema.to_string());
    let ran = folder.run(&["schema", "lint", &file, "--output", "json"]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    let found: Value = serde_json::from_str(&ran.out).expect("it is JSON");
    let codes: Vec<&str> =
        found.as_array().expect("a list").iter().filter_map(|one| one["code"].as_str()).collect();
    for code in ["unreachableMapping", "unreachableFilter", "expressionCanFail"] {
        assert!(codes.contains(&code), "{code}: {codes:?}");
    }
    assert!(ran.out.contains("title' is mapped more than once"), "{}", ran.out);
    assert!(ran.out.contains("when employeeHireDate is"), "{}", ran.out);
    assert!(ran.out.contains("'nickName' has neither a source nor a default"), "{}", ran.out);
}
