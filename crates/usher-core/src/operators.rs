//! The operators of scoping filters: one record each, and what they say of a value.

mod filter;

use thiserror::Error;
use usher_expr::Value;
use usher_expr::dotnet::regex::{Pattern, PatternError};

use crate::schema::AttributeType;

pub use filter::{ClauseResult, CompiledClause, CompiledFilter, FilterResult};

/// How many operands an operator takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arity {
    /// The attribute alone.
    Unary,
    /// The attribute and an operand.
    Binary,
}

/// How an operator is published to compare several values (Graph `multivaluedComparisonType`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MultivaluedComparison {
    /// Each value must satisfy it.
    All,
    /// One value is enough.
    Any,
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

/// Why a clause cannot be evaluated.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum OperatorError {
    /// A comparison of numbers met something else.
    #[error("'{0}' is not a whole number")]
    NotANumber(String),
    /// A binary operator was given no operand.
    #[error("'{0}' needs an operand")]
    NoOperand(&'static str),
    /// The operand is not a pattern, or the value cannot be matched with it.
    #[error("the pattern '{pattern}' cannot be used")]
    Pattern {
        /// The operand.
        pattern: String,
        /// What is wrong with it.
        #[source]
        source: PatternError,
    },
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
    record(
        "EQUALS",
        "the value is the operand, case counting",
        Arity::Binary,
        TEXT,
        false,
        true,
        Test::Equals,
    ),
    record("NOT EQUALS", "the value is not the operand", Arity::Binary, TEXT, true, true, Test::Equals),
    record("IS TRUE", "the value is true", Arity::Unary, BOOLEAN, false, true, Test::IsTrue),
    record("IS FALSE", "the value is false", Arity::Unary, BOOLEAN, false, true, Test::IsFalse),
    record("IS NULL", "there is no value, or an empty one", Arity::Unary, ANY, false, true, Test::IsNull),
    record("IS NOT NULL", "there is a value", Arity::Unary, ANY, false, true, Test::IsNotNull),
    record(
        "REGEX MATCH",
        "the pattern is found in the value",
        Arity::Binary,
        TEXT,
        false,
        true,
        Test::Matches,
    ),
    record("NOT REGEX MATCH", "the pattern is not found", Arity::Binary, TEXT, true, true, Test::Matches),
    record("INCLUDES", "the value contains the operand", Arity::Binary, STRING, false, false, Test::Includes),
    record(
        "ENDS_WITH",
        "the value ends with the operand",
        Arity::Binary,
        STRING,
        false,
        false,
        Test::EndsWith,
    ),
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

/// Whether the operator holds for a value. Patterns are compiled for this one call; a filter that is used more than
/// once is better compiled as a [`CompiledFilter`].
///
/// # Errors
/// An operand is missing or no pattern, or a comparison of numbers met something else.
pub fn evaluate(
    operator: &Operator,
    value: &Value,
    operands: &[impl AsRef<str>],
    mode: NullMode,
) -> Result<bool, OperatorError> {
    operator.evaluate(value, operands, &operator.patterns(operands)?, mode)
}

impl Operator {
    /// What Graph publishes of the comparison of several values: `All`, for every operator.
    pub const fn multivalued_comparison(&self) -> MultivaluedComparison {
        MultivaluedComparison::All
    }

    /// Whether it compares whole values, so that an operand of another type can never equal one.
    pub const fn compares_values(&self) -> bool {
        matches!(self.test, Test::Equals)
    }

    const fn compares_numbers(&self) -> bool {
        matches!(self.test, Test::Greater | Test::GreaterOrEqual)
    }

    /// The operands as patterns, for an operator that needs them.
    fn patterns(&self, operands: &[impl AsRef<str>]) -> Result<Vec<Pattern>, OperatorError> {
        if self.arity == Arity::Binary && operands.is_empty() {
            return Err(OperatorError::NoOperand(self.name));
        }
        if !matches!(self.test, Test::Matches) {
            return Ok(Vec::new());
        }
        operands
            .iter()
            .map(AsRef::as_ref)
            .map(|operand| Pattern::compile(operand).map_err(|source| pattern_error(operand, source)))
            .collect()
    }

    fn evaluate(
        &self,
        value: &Value,
        operands: &[impl AsRef<str>],
        patterns: &[Pattern],
        mode: NullMode,
    ) -> Result<bool, OperatorError> {
        let is_empty = value.is_null_or_empty();
        match self.test {
            Test::IsNull => return Ok(is_empty),
            Test::IsNotNull => return Ok(!is_empty),
            _ if is_empty => {
                let denies = self.is_negative || matches!(self.test, Test::IsFalse);
                return Ok(denies && mode == NullMode::NegationsTrue);
            }
            _ => {}
        }
        // Positive operators hold when any value satisfies them, negative ones when each does.
        let mut any = false;
        for value in value.values() {
            any |= self.holds(value, operands, patterns)?;
        }
        Ok(any != self.is_negative)
    }

    /// Whether the positive form holds for one value and any operand.
    fn holds(
        &self,
        value: &Value,
        operands: &[impl AsRef<str>],
        patterns: &[Pattern],
    ) -> Result<bool, OperatorError> {
        let text = value.to_text();
        let mut operands = operands.iter().map(AsRef::as_ref);
        Ok(match self.test {
            Test::Equals => operands.any(|operand| operand == text),
            Test::Includes => operands.any(|operand| text.contains(operand)),
            Test::EndsWith => operands.any(|operand| text.ends_with(operand)),
            Test::IsTrue => is_boolean(&text, ["true", "1"]),
            Test::IsFalse => is_boolean(&text, ["false", "0"]),
            Test::Greater | Test::GreaterOrEqual => {
                let value = natural(&text)?;
                let or_equal = matches!(self.test, Test::GreaterOrEqual);
                let mut holds = false;
                for operand in operands {
                    let operand = natural(operand)?;
                    holds |= value > operand || (or_equal && value == operand);
                }
                holds
            }
            Test::Bits => {
                operands.any(|operand| match (text.trim().parse::<i64>(), operand.trim().parse::<i64>()) {
                    (Ok(left), Ok(right)) => left & right != 0,
                    _ => operand.contains(text.as_str()),
                })
            }
            Test::Matches => {
                let mut found = false;
                for (pattern, operand) in patterns.iter().zip(operands) {
                    found |= pattern.is_match(&text).map_err(|source| pattern_error(operand, source))?;
                }
                found
            }
            Test::IsNull | Test::IsNotNull => false,
        })
    }
}

fn natural(text: &str) -> Result<u64, OperatorError> {
    text.trim().parse().map_err(|_| OperatorError::NotANumber(text.to_owned()))
}

fn is_boolean(text: &str, words: [&str; 2]) -> bool {
    words.iter().any(|word| word.eq_ignore_ascii_case(text.trim()))
}

fn pattern_error(pattern: &str, source: PatternError) -> OperatorError {
    OperatorError::Pattern { pattern: pattern.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use usher_expr::Attributes;

    use super::*;
    use crate::schema::{FilterClause, FilterGroup, ScopingFilter};

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
        let filter =
            ScopingFilter { input_filter_groups: filter(operator, operand), ..ScopingFilter::default() };
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
        for (operator, operand) in [
            ("EQUALS", Some("")),
            ("NOT EQUALS", Some("x")),
            ("NOT REGEX MATCH", Some("x")),
            ("IS FALSE", None),
            ("!&", Some("1")),
        ] {
            assert!(!passes(operator, operand, Value::Null), "{operator}");
            assert!(!passes(operator, operand, Value::from("")), "{operator}");
        }
        assert!(passes("IS NULL", None, Value::Null));
        assert!(!passes("IS NOT NULL", None, Value::from("")));
    }

    #[test]
    fn input_filters_take_null_as_true_for_negations() {
        for (operator, operand) in
            [("NOT EQUALS", Some("x")), ("NOT REGEX MATCH", Some("x")), ("IS FALSE", None), ("!&", Some("1"))]
        {
            assert!(is_kept(operator, operand, Value::Null), "{operator}");
        }
        for (operator, operand) in
            [("EQUALS", Some("x")), ("REGEX MATCH", Some("x")), ("IS TRUE", None), ("&", Some("1"))]
        {
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

    #[test]
    fn several_operands_are_alternatives_and_none_of_them_for_negations() {
        let holds = |name: &str, value: &str| {
            let operator = find(name).expect("the operator exists");
            evaluate(operator, &Value::from(value), &["Sales", "Legal"], NullMode::False)
        };
        assert_eq!(holds("EQUALS", "Legal"), Ok(true));
        assert_eq!(holds("NOT EQUALS", "Legal"), Ok(false));
        assert_eq!(holds("NOT EQUALS", "Research"), Ok(true));
        assert_eq!(holds("NOT REGEX MATCH", "Sales West"), Ok(false));
    }

    #[test]
    fn texts_contain_and_end_with_case_counting() {
        assert!(passes("Includes", Some("ale"), Value::from("Sales")));
        assert!(!passes("Includes", Some("sale"), Value::from("Sales")));
        assert!(passes("ENDS_WITH", Some("@contoso.example"), Value::from("a@contoso.example")));
        assert!(!passes("ENDS_WITH", Some("@Contoso.example"), Value::from("a@contoso.example")));
    }

    #[test]
    fn truth_is_read_from_booleans_and_texts() {
        assert!(passes("IS TRUE", None, Value::Boolean(true)));
        assert!(passes("is true", None, Value::from("True")));
        assert!(passes("IS FALSE", None, Value::Boolean(false)));
        assert!(!passes("IS FALSE", None, Value::from("no")));
    }

    #[test]
    fn negative_numbers_are_not_compared() {
        let greater = find("GREATER_THAN").expect("the operator exists");
        let compare =
            |value: &str, operand: &str| evaluate(greater, &Value::from(value), &[operand], NullMode::False);
        assert_eq!(compare("-1", "3"), Err(OperatorError::NotANumber("-1".to_owned())));
        assert_eq!(compare("1", "-3"), Err(OperatorError::NotANumber("-3".to_owned())));
        assert_eq!(compare("10", "9"), Ok(true));
    }

    #[test]
    fn a_binary_operator_without_operand_is_an_error() {
        let equals = find("EQUALS").expect("the operator exists");
        let none: [&str; 0] = [];
        let outcome = evaluate(equals, &Value::from("x"), &none, NullMode::False);
        assert_eq!(outcome, Err(OperatorError::NoOperand("EQUALS")));
    }

    #[test]
    fn groups_are_alternatives_and_their_clauses_are_not() {
        let clause = |operand: &str| FilterClause {
            source_operand_name: "a".to_owned(),
            operator_name: "INCLUDES".to_owned(),
            target_operand: vec![operand.to_owned()],
        };
        let group = |name: &str, clauses: Vec<FilterClause>| FilterGroup { name: name.to_owned(), clauses };
        let groups = vec![group("both", vec![clause("x"), clause("y")]), group("z", vec![clause("z")])];
        let filter = ScopingFilter { groups, ..ScopingFilter::default() };
        let filter = CompiledFilter::compile(&filter).expect("it compiles");
        let said = |value: &str| filter.evaluate(&One(Value::from(value)));
        assert!(!said("x").passed);
        assert!(said("xy").passed);
        assert!(said("z").passed);
        let titles: Vec<(String, bool)> =
            said("x").clauses.into_iter().map(|one| (one.title, one.passed)).collect();
        let title = |title: &str, passed: bool| (title.to_owned(), passed);
        let expected = [
            title("both.a INCLUDES x", true),
            title("both.a INCLUDES y", false),
            title("z.a INCLUDES z", false),
        ];
        assert_eq!(titles, expected);
    }

    #[test]
    fn category_filters_say_what_does_not_belong() {
        let filter =
            ScopingFilter { category_filter_groups: filter("EQUALS", Some("x")), ..ScopingFilter::default() };
        let result = CompiledFilter::compile(&filter).expect("it compiles").evaluate(&One(Value::from("y")));
        assert!(result.not_in_category && result.passed && !result.dropped_by_input_filter);
    }

    #[test]
    fn every_problem_of_a_filter_is_listed_with_its_place() {
        let mut groups = filter("LIKE", Some("x"));
        groups.extend(filter("REGEX MATCH", Some("(")));
        groups.extend(filter("EQUALS", None));
        groups.extend(filter("GREATER_THAN", Some("many")));
        let problems = CompiledFilter::compile(&ScopingFilter { groups, ..ScopingFilter::default() });
        let found: Vec<(&str, String)> =
            problems.expect_err("it does not compile").into_iter().map(|one| (one.code, one.path)).collect();
        let at = |code: &'static str, group: usize| (code, format!("$.groups[{group}].clauses[0]"));
        assert_eq!(
            found,
            [at("unknownOperator", 0), at("invalidPattern", 1), at("noOperand", 2), at("notANumber", 3)]
        );
    }
}
