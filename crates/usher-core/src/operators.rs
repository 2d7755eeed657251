//! The operators of scoping filters, and filters made ready to run.

use std::sync::Arc;

use smol_str::SmolStr;
use usher_expr::dotnet::regex::Pattern;
use usher_expr::{Attributes, Severity, Value};

use crate::schema::{AttributeType, FilterClause, FilterGroup, SchemaDiagnostic, ScopingFilter};

/// How many operands an operator takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arity {
    /// The attribute alone.
    Unary,
    /// The attribute and an operand.
    Binary,
}

/// What a clause says of an attribute without value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NullMode {
    /// Every clause but the null tests is false, as published for `groups`.
    False,
    /// Negations and `IS FALSE` are true, as the published default schema needs for `inputFilterGroups`.
    NegationsTrue,
}

/// One operator.
#[derive(Clone, Copy, Debug)]
pub struct Operator {
    /// The name on the wire.
    pub name: &'static str,
    /// When it is true, in a sentence.
    pub summary: &'static str,
    /// How many operands it takes.
    pub arity: Arity,
    /// The attribute types that it is published for.
    pub types: &'static [AttributeType],
    /// It denies something: true for several values only when it is true for each.
    pub is_negative: bool,
    /// It is on the published list of the `filterOperators` endpoint.
    pub is_listed: bool,
    test: Test,
}

#[derive(Clone, Copy, Debug)]
enum Test {
    Equals,
    Matches,
    IsNull,
    IsNotNull,
    IsTrue,
    IsFalse,
    Includes,
    EndsWith,
    Greater,
    GreaterOrEqual,
    Bits,
}

const TEXT: &[AttributeType] = &[AttributeType::Integer, AttributeType::String];
const ANY: &[AttributeType] =
    &[AttributeType::Integer, AttributeType::String, AttributeType::Binary, AttributeType::Boolean];
const BOOLEAN: &[AttributeType] = &[AttributeType::Boolean];
const INTEGER: &[AttributeType] = &[AttributeType::Integer];
const STRING: &[AttributeType] = &[AttributeType::String];

const fn record(
    name: &'static str,
    summary: &'static str,
    arity: Arity,
    types: &'static [AttributeType],
    is_negative: bool,
    is_listed: bool,
    test: Test,
) -> Operator {
    Operator { name, summary, arity, types, is_negative, is_listed, test }
}

const OPERATORS: &[Operator] = &[
    record("EQUALS", "the value is the operand, case counting", Arity::Binary, TEXT, false, true, Test::Equals),
    record("NOT EQUALS", "the value is not the operand", Arity::Binary, TEXT, true, true, Test::Equals),
    record("IS TRUE", "the value is true", Arity::Unary, BOOLEAN, false, true, Test::IsTrue),
    record("IS FALSE", "the value is false", Arity::Unary, BOOLEAN, false, true, Test::IsFalse),
    record("IS NULL", "there is no value, or an empty one", Arity::Unary, ANY, false, true, Test::IsNull),
    record("IS NOT NULL", "there is a value", Arity::Unary, ANY, false, true, Test::IsNotNull),
    record("REGEX MATCH", "the pattern is found in the value", Arity::Binary, TEXT, false, true, Test::Matches),
    record("NOT REGEX MATCH", "the pattern is not found", Arity::Binary, TEXT, true, true, Test::Matches),
    record("INCLUDES", "the value contains the operand", Arity::Binary, STRING, false, false, Test::Includes),
    record("ENDS_WITH", "the value ends with the operand", Arity::Binary, STRING, false, false, Test::EndsWith),
    record(
        "GREATER_THAN",
        "both are whole numbers, not negative, and the value is greater",
        Arity::Binary,
        INTEGER,
        false,
        false,
        Test::Greater,
    ),
    record(
        "GREATER_THAN_OR_EQUALS",
        "both are whole numbers, not negative, and the value is greater or equal",
        Arity::Binary,
        INTEGER,
        false,
        false,
        Test::GreaterOrEqual,
    ),
    record(
        "&",
        "both are whole numbers: they share a bit; else the operand contains the value",
        Arity::Binary,
        INTEGER,
        false,
        false,
        Test::Bits,
    ),
    record("!&", "not so", Arity::Binary, INTEGER, true, false, Test::Bits),
];

impl Operator {
    /// Whether it compares whole values, so that an operand of another type can never equal one.
    pub fn compares_values(&self) -> bool {
        matches!(self.test, Test::Equals)
    }
}

/// All operators.
pub fn all() -> &'static [Operator] {
    OPERATORS
}

/// The operator with this name; case does not count, blank and underscore are alike.
pub fn find(name: &str) -> Option<&'static Operator> {
    let plain = |text: &str| text.trim().replace('_', " ").to_ascii_uppercase();
    let wanted = plain(name);
    OPERATORS.iter().find(|operator| plain(operator.name) == wanted)
}

/// A scoping filter, ready to run.
#[derive(Clone, Debug, Default)]
pub struct CompiledFilter {
    groups: Vec<CompiledGroup>,
    input: Vec<CompiledGroup>,
    category: Vec<CompiledGroup>,
}

#[derive(Clone, Debug)]
struct CompiledGroup {
    name: String,
    clauses: Vec<CompiledClause>,
}

#[derive(Clone, Debug)]
struct CompiledClause {
    attribute: SmolStr,
    operator: &'static Operator,
    operands: Vec<SmolStr>,
    patterns: Arc<[Pattern]>,
}

/// What a filter says of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterResult {
    /// The object passes a group, or there is none.
    pub passed: bool,
    /// The input filter drops it: it is ignored.
    pub dropped_by_input_filter: bool,
    /// The category filter says that it does not belong to this mapping.
    pub not_in_category: bool,
    /// Every clause that was looked at.
    pub clauses: Vec<ClauseResult>,
}

/// What one clause says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClauseResult {
    /// `{group}.{attribute} {OPERATOR} {operand}`.
    pub title: String,
    /// True of the object.
    pub passed: bool,
    /// Why it could not be evaluated; it counts as false then.
    pub error: Option<String>,
}

impl CompiledFilter {
    /// Makes a filter ready.
    ///
    /// # Errors
    /// Every unknown operator, missing operand and invalid pattern; paths are relative to the filter (`$`).
    pub fn compile(filter: &ScopingFilter) -> Result<Self, Vec<SchemaDiagnostic>> {
        let mut problems = Vec::new();
        let mut compile = |kind: &str, groups: &[FilterGroup]| -> Vec<CompiledGroup> {
            groups
                .iter()
                .enumerate()
                .map(|(index, group)| CompiledGroup {
                    name: group.name.clone(),
                    clauses: group
                        .clauses
                        .iter()
                        .enumerate()
                        .filter_map(|(clause_index, clause)| {
                            let path = format!("$.{kind}[{index}].clauses[{clause_index}]");
                            CompiledClause::compile(clause, &path).map_err(|problem| problems.push(problem)).ok()
                        })
                        .collect(),
                })
                .collect()
        };
        let filter = Self {
            groups: compile("groups", &filter.groups),
            input: compile("inputFilterGroups", &filter.input_filter_groups),
            category: compile("categoryFilterGroups", &filter.category_filter_groups),
        };
        if problems.is_empty() { Ok(filter) } else { Err(problems) }
    }

    /// Evaluates all groups over an object.
    pub fn evaluate(&self, object: &dyn Attributes) -> FilterResult {
        let mut clauses = Vec::new();
        let mut any = |groups: &[CompiledGroup], mode: NullMode| {
            let mut passed = groups.is_empty();
            for group in groups {
                let mut all = true;
                for clause in &group.clauses {
                    let result = clause.evaluate(&group.name, object, mode);
                    all &= result.passed;
                    clauses.push(result);
                }
                passed |= all;
            }
            passed
        };
        let dropped_by_input_filter = !any(&self.input, NullMode::NegationsTrue);
        let not_in_category = !any(&self.category, NullMode::NegationsTrue);
        let passed = any(&self.groups, NullMode::False);
        FilterResult { passed, dropped_by_input_filter, not_in_category, clauses }
    }

    /// The source attributes that the filter reads.
    pub fn attributes(&self) -> impl Iterator<Item = &str> {
        self.groups
            .iter()
            .chain(&self.input)
            .chain(&self.category)
            .flat_map(|group| &group.clauses)
            .map(|clause| clause.attribute.as_str())
    }
}

impl CompiledClause {
    fn compile(clause: &FilterClause, path: &str) -> Result<Self, SchemaDiagnostic> {
        let problem = |code, message: String, remedy: String| SchemaDiagnostic {
            severity: Severity::Error,
            code,
            path: path.to_owned(),
            position: None,
            message,
            remedy: Some(remedy),
        };
        if clause.source_operand_name.is_empty() {
            return Err(problem(
                "noOperand",
                "the clause names no source attribute".to_owned(),
                "give sourceOperandName".to_owned(),
            ));
        }
        let Some(operator) = find(&clause.operator_name) else {
            let known: Vec<&str> = OPERATORS.iter().map(|operator| operator.name).collect();
            return Err(problem(
                "unknownOperator",
                format!("there is no operator '{}'", clause.operator_name),
                format!("one of {}", known.join(", ")),
            ));
        };
        if operator.arity == Arity::Binary && clause.target_operand.is_empty() {
            return Err(problem(
                "noOperand",
                format!("'{}' needs an operand", operator.name),
                "give targetOperand.values one text".to_owned(),
            ));
        }
        let mut patterns = Vec::new();
        if matches!(operator.test, Test::Matches) {
            for operand in &clause.target_operand {
                patterns.push(Pattern::compile(operand).map_err(|error| {
                    problem("invalidPattern", format!("the pattern '{operand}' cannot be used: {error}"), "correct the pattern".to_owned())
                })?);
            }
        }
        if matches!(operator.test, Test::Greater | Test::GreaterOrEqual)
            && let Some(operand) = clause.target_operand.iter().find(|operand| operand.trim().parse::<u64>().is_err())
        {
            return Err(problem(
                "notANumber",
                format!("'{operand}' is not a whole number"),
                format!("'{}' compares whole numbers that are not negative", operator.name),
            ));
        }
        Ok(Self {
            attribute: clause.source_operand_name.as_str().into(),
            operator,
            operands: clause.target_operand.iter().map(SmolStr::from).collect(),
            patterns: patterns.into(),
        })
    }

    fn title(&self, group: &str) -> String {
        let operand = self.operands.join(", ");
        let tail = if operand.is_empty() { String::new() } else { format!(" {operand}") };
        format!("{group}.{} {}{tail}", self.attribute, self.operator.name)
    }

    fn evaluate(&self, group: &str, object: &dyn Attributes, mode: NullMode) -> ClauseResult {
        let outcome = self.test(&object.get(&self.attribute), mode);
        let (passed, error) = match outcome {
            Ok(passed) => (passed, None),
            Err(error) => (false, Some(error)),
        };
        ClauseResult { title: self.title(group), passed, error }
    }

    fn test(&self, value: &Value, mode: NullMode) -> Result<bool, String> {
        let is_empty = value.is_null_or_empty();
        match self.operator.test {
            Test::IsNull => return Ok(is_empty),
            Test::IsNotNull => return Ok(!is_empty),
            _ if is_empty => {
                let denies = self.operator.is_negative || matches!(self.operator.test, Test::IsFalse);
                return Ok(denies && mode == NullMode::NegationsTrue);
            }
            _ => {}
        }
        let one;
        let values: &[Value] = match value {
            Value::List(values) => values,
            single => {
                one = [single.clone()];
                &one
            }
        };
        // Positive operators hold when any value satisfies them, negative ones when each does.
        let mut any = false;
        for value in values {
            any |= self.holds(value)?;
        }
        Ok(any != self.operator.is_negative)
    }

    /// Whether the positive form holds for one value and any operand.
    fn holds(&self, value: &Value) -> Result<bool, String> {
        let text = value.to_text();
        let any = |test: &dyn Fn(&str) -> bool| self.operands.iter().any(|operand| test(operand));
        let number = |text: &str| text.trim().parse::<u64>().ok();
        Ok(match self.operator.test {
            Test::Equals => any(&|operand| operand == text),
            Test::Includes => any(&|operand| text.contains(operand)),
            Test::EndsWith => any(&|operand| text.ends_with(operand)),
            Test::IsTrue => is_boolean(&text, true),
            Test::IsFalse => is_boolean(&text, false),
            Test::Greater | Test::GreaterOrEqual => {
                let Some(left) = number(&text) else {
                    return Err(format!("'{text}' is not a whole number"));
                };
                any(&|operand| {
                    number(operand).is_some_and(|right| {
                        left > right || (left == right && matches!(self.operator.test, Test::GreaterOrEqual))
                    })
                })
            }
            Test::Bits => any(&|operand| match (text.trim().parse::<i64>(), operand.trim().parse::<i64>()) {
                (Ok(left), Ok(right)) => left & right != 0,
                _ => operand.contains(text.as_str()),
            }),
            Test::Matches => {
                let mut found = false;
                for pattern in self.patterns.iter() {
                    found |= pattern.is_match(&text).map_err(|error| error.to_string())?;
                }
                found
            }
            Test::IsNull | Test::IsNotNull => false,
        })
    }
}

fn is_boolean(text: &str, wanted: bool) -> bool {
    let words: [&str; 2] = if wanted { ["true", "1"] } else { ["false", "0"] };
    words.iter().any(|word| word.eq_ignore_ascii_case(text.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct One(Value);

    impl Attributes for One {
        fn get(&self, _name: &str) -> Value {
            self.0.clone()
        }
    }

    fn filter(operator: &str, operand: Option<&str>) -> Vec<FilterGroup> {
        vec![FilterGroup {
            name: "g".to_owned(),
            clauses: vec![FilterClause {
                source_operand_name: "a".to_owned(),
                operator_name: operator.to_owned(),
                target_operand: operand.map(str::to_owned).into_iter().collect(),
            }],
        }]
    }

    fn passes(operator: &str, operand: Option<&str>, value: Value) -> bool {
        let filter = ScopingFilter { groups: filter(operator, operand), ..ScopingFilter::default() };
        CompiledFilter::compile(&filter).expect("the filter compiles").evaluate(&One(value)).passed
    }

    fn is_kept(operator: &str, operand: Option<&str>, value: Value) -> bool {
        let filter = ScopingFilter { input_filter_groups: filter(operator, operand), ..ScopingFilter::default() };
        let result = CompiledFilter::compile(&filter).expect("the filter compiles").evaluate(&One(value));
        !result.dropped_by_input_filter
    }

    fn list(values: &[&str]) -> Value {
        Value::List(values.iter().map(|text| Value::from(*text)).collect::<Vec<_>>().into())
    }

    #[test]
    fn equality_counts_case() {
        assert!(passes("EQUALS", Some("Sales"), Value::from("Sales")));
        assert!(!passes("EQUALS", Some("Sales"), Value::from("sales")));
        assert!(passes("NOT EQUALS", Some("Sales"), Value::from("sales")));
    }

    #[test]
    fn null_is_false_for_all_but_the_null_tests() {
        for (operator, operand) in [("EQUALS", Some("")), ("NOT EQUALS", Some("x")), ("NOT REGEX MATCH", Some("x")), ("IS FALSE", None), ("!&", Some("1"))] {
            assert!(!passes(operator, operand, Value::Null), "{operator}");
            assert!(!passes(operator, operand, Value::from("")), "{operator}");
        }
        assert!(passes("IS NULL", None, Value::Null));
        assert!(!passes("IS NOT NULL", None, Value::from("")));
    }

    #[test]
    fn input_filters_take_null_as_true_for_negations() {
        for (operator, operand) in [("NOT EQUALS", Some("x")), ("NOT REGEX MATCH", Some("x")), ("IS FALSE", None), ("!&", Some("1"))] {
            assert!(is_kept(operator, operand, Value::Null), "{operator}");
        }
        for (operator, operand) in [("EQUALS", Some("x")), ("REGEX MATCH", Some("x")), ("IS TRUE", None), ("&", Some("1"))] {
            assert!(!is_kept(operator, operand, Value::Null), "{operator}");
        }
    }

    #[test]
    fn patterns_are_searched_not_anchored() {
        assert!(passes("REGEX MATCH", Some("MSOL"), Value::from("x MSOL_y")));
        assert!(!passes("REGEX MATCH", Some("^MSOL_"), Value::from("x MSOL_y")));
        assert!(passes("NOT REGEX MATCH", Some("^SystemMailbox{"), Value::from("adele")));
    }

    #[test]
    fn any_value_satisfies_a_positive_operator_and_all_a_negative_one() {
        assert!(passes("REGEX MATCH", Some("^SMTP:"), list(&["smtp:a", "SMTP:b"])));
        assert!(!passes("NOT REGEX MATCH", Some("^SMTP:"), list(&["smtp:a", "SMTP:b"])));
        assert!(passes("NOT EQUALS", Some("c"), list(&["a", "b"])));
    }

    #[test]
    fn ampersand_tests_bits_of_numbers_and_containment_of_texts() {
        assert!(passes("&", Some("-2147483648"), Value::from("-2147483646")));
        assert!(passes("!&", Some("566259712"), Value::from("1")));
        assert!(passes("&", Some("red, green"), Value::from("green")));
    }

    #[test]
    fn numbers_are_compared_as_numbers_and_texts_are_an_error() {
        assert!(passes("Greater_Than", Some("9"), Value::from("10")));
        assert!(passes("Greater_Than_OR_EQUALS", Some("10"), Value::from("10")));
        let filter = ScopingFilter { groups: filter("GREATER_THAN", Some("9")), ..ScopingFilter::default() };
        let result = CompiledFilter::compile(&filter).expect("it compiles").evaluate(&One(Value::from("x")));
        assert_eq!(result.clauses[0].error.as_deref(), Some("'x' is not a whole number"));
        assert!(!result.passed);
    }

    #[test]
    fn names_are_compared_without_case_and_blank_is_underscore() {
        assert_eq!(find("is_not_null").map(|operator| operator.name), Some("IS NOT NULL"));
        assert_eq!(find("Ends With").map(|operator| operator.name), Some("ENDS_WITH"));
        assert!(find("LIKE").is_none());
    }

    #[test]
    fn filter_without_groups_passes_everything() {
        assert!(CompiledFilter::default().evaluate(&One(Value::Null)).passed);
    }
}
