//! Doubts: what an expression may hold without being wrong, and what its author hardly means. They follow from the
//! expression alone, whatever the attributes are.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::ops::Range;

use jiff::Timestamp;
use smol_str::SmolStr;

use crate::compare::same_text;
use crate::context::Context;
use crate::evaluate::{CallOp, Evaluated, Op, OpKind, Scope};
use crate::expression::{Expression, literal};
use crate::function::{Function, Type};
use crate::node::Operator;
use crate::value::Value;

/// One doubt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doubt {
    /// A stable name for the kind of doubt.
    pub rule: &'static str,
    /// Which bytes of the expression it is about.
    pub span: Range<usize>,
    /// What is doubtful.
    pub message: String,
    /// What to do.
    pub remedy: &'static str,
}

/// A condition that always holds or never does, or that decides nothing.
const CONDITION: &str = "constantCondition";
/// A key that stands twice.
const KEY: &str = "doubledKey";
/// An argument that is never looked at.
const ARGUMENT: &str = "unreachableArgument";
/// An expression that yields the same for everybody.
const EXPRESSION: &str = "constantExpression";

impl Expression {
    /// What is doubtful, in the order of the text.
    pub fn doubts(&self) -> Vec<Doubt> {
        let mut doubter = Doubter { source: self.source(), found: Vec::new() };
        let root = &self.0.root;
        if let (false, Some(value)) = (is_plain(root), constant(root)) {
            // What is inside follows from it.
            doubter.push(
                EXPRESSION,
                root,
                format!("the expression reads no attribute and always yields {}", literal(&value)),
                "write the value as a constant, or read the attribute that is meant",
            );
            return doubter.found;
        }
        root.walk(&mut |op| doubter.look_at(op));
        let mut found = doubter.found;
        found.sort_by_key(|doubt| (doubt.span.start, doubt.span.end));
        found
    }
}

struct Doubter<'a> {
    source: &'a str,
    found: Vec<Doubt>,
}

impl Doubter<'_> {
    fn look_at(&mut self, op: &Op) {
        match &op.kind {
            OpKind::Comparison { operator, operands, .. } => self.comparison(op, *operator, operands),
            OpKind::Call(call) => {
                self.conditions(call);
                match call.function.name {
                    "IIF" => self.branches(call),
                    // The hybrid dialect's has conditions in place of keys.
                    "Switch" if !is_condition(call, 0) => self.keys(call),
                    "Coalesce" => self.behind_a_constant(call),
                    _ => {}
                }
            }
            _ => {}
        }
    }

    fn comparison(&mut self, op: &Op, operator: Operator, operands: &(Op, Op)) {
        let (left, right) = operands;
        let text = self.text(left);
        if constant(op).is_some() || text.is_empty() || text != self.text(right) {
            return;
        }
        let outcome = match operator {
            Operator::Equal => "always holds",
            Operator::NotEqual | Operator::Greater | Operator::Less => "never holds",
            // Nothing is neither before nor after itself.
            Operator::GreaterOrEqual | Operator::LessOrEqual => "holds whenever there is a value",
        };
        self.push(
            CONDITION,
            op,
            format!("the comparison of {text} with itself {outcome}"),
            "compare it with something else, or leave the condition out",
        );
    }

    fn conditions(&mut self, call: &CallOp) {
        let count = call.arguments.len();
        for (index, argument) in
            call.arguments.iter().enumerate().filter(|(index, _)| is_condition(call, *index))
        {
            let Some(value) = argument.as_ref().and_then(constant) else { continue };
            let Some(argument) = argument else { continue };
            let holds = value.truth();
            // The hybrid Switch gives its default so.
            if holds && call.function.name == "Switch" && index + 2 == count {
                continue;
            }
            let outcome = if holds { "always" } else { "never" };
            self.push(
                CONDITION,
                argument,
                format!("the condition {} of {} {outcome} holds", self.text(argument), call.function.name),
                "compare an attribute, or write the value that is meant without a condition",
            );
        }
    }

    fn branches(&mut self, call: &CallOp) {
        let branch = |index: usize| call.arguments.get(index).and_then(Option::as_ref);
        if let (Some(one), Some(other)) = (branch(1), branch(2))
            && self.text(one) == self.text(other)
        {
            self.push(
                CONDITION,
                other,
                format!("IIF yields {} whether its condition holds or not", self.text(one)),
                "correct one of the two values, or leave the condition out",
            );
        }
    }

    fn keys(&mut self, call: &CallOp) {
        let mut known: Vec<Value> = Vec::new();
        for key in call.arguments.iter().skip(2).step_by(2).flatten() {
            let Some(value) = constant(key) else { continue };
            if known.iter().any(|other| same_text(other, &value)) {
                self.push(
                    KEY,
                    key,
                    format!(
                        "the key {} of Switch stands there already; the first one counts",
                        self.text(key)
                    ),
                    "remove one of the two pairs, or correct its key",
                );
            } else {
                known.push(value);
            }
        }
        if let Some(Some(source)) = call.arguments.first()
            && constant(source).is_some()
        {
            self.push(
                CONDITION,
                source,
                format!(
                    "Switch compares the fixed value {}, so that the same key is chosen for everybody",
                    self.text(source)
                ),
                "compare an attribute",
            );
        }
    }

    fn behind_a_constant(&mut self, call: &CallOp) {
        let mut arguments = call.arguments.iter().flatten();
        let first = arguments.find(|argument| constant(argument).is_some_and(|value| !value.is_null()));
        if let (Some(first), Some(next)) = (first, arguments.next()) {
            self.push(
                ARGUMENT,
                next,
                format!("Coalesce never comes to {}: {} is never null", self.text(next), self.text(first)),
                "put the fixed value last",
            );
        }
    }

    fn push(&mut self, rule: &'static str, op: &Op, message: String, remedy: &'static str) {
        self.found.push(Doubt { rule, span: op.span.clone(), message, remedy });
    }

    fn text(&self, op: &Op) -> &str {
        self.source.get(op.span.clone()).unwrap_or_default().trim()
    }
}

/// Whether an argument decides which way a call goes.
fn is_condition(call: &CallOp, index: usize) -> bool {
    match Function::param(call.params, index).map(|param| param.ty) {
        Some(Type::Condition) => true,
        Some(Type::Boolean) => matches!(call.function.name, "Switch" | "Not" | "Where"),
        _ => false,
    }
}

/// A literal is what it says.
fn is_plain(op: &Op) -> bool {
    !matches!(op.kind, OpKind::Call(_) | OpKind::Comparison { .. } | OpKind::Concatenation(_))
}

/// The value of what is the same for everybody, at any time.
fn constant(op: &Op) -> Option<Value> {
    let mut is_open = false;
    op.walk(&mut |part| {
        is_open |= matches!(
            part.kind,
            OpKind::Attribute(_)
                | OpKind::Parameter(_)
                | OpKind::Variable(_)
                | OpKind::IgnoreAttributeFlow
                | OpKind::IgnoreObjectFlow
        );
    });
    if is_open {
        return None;
    }
    let evaluate = |now: i64, seed: u64, domain: &'static str| -> Evaluated {
        let mut context = Context::new(Timestamp::from_second(now).unwrap_or_default(), seed);
        context.default_domain = Some(SmolStr::new_static(domain));
        let attributes: BTreeMap<SmolStr, Value> = BTreeMap::new();
        let (draws, steps) = (Cell::new(0), Cell::new(0));
        op.evaluate(&Scope {
            attributes: &attributes,
            context: &context,
            draws: &draws,
            steps: &steps,
            trace: None,
            binding: None,
        })
    };
    // What hangs on the time, on chance or on the tenant differs between two worlds.
    let value = evaluate(1_000_000_000, 1, "contoso.example").ok()?;
    (evaluate(1_800_003_723, 2, "woodgrove.example").ok()? == value).then_some(value)
}

#[cfg(test)]
mod tests {
    use crate::{Dialect, compile};

    fn doubts(text: &str, dialect: Dialect) -> Vec<String> {
        let expression = compile(text, dialect).expression.expect("it compiles");
        expression.doubts().into_iter().map(|doubt| format!("{}: {}", doubt.rule, doubt.message)).collect()
    }

    fn check(text: &str, expected: &[&str]) {
        assert_eq!(doubts(text, Dialect::Service), expected, "{text}");
    }

    #[test]
    fn conditions_that_always_or_never_hold_are_found() {
        check(
            r#"IIF("a"="b", [x], [y])"#,
            &[r#"constantCondition: the condition "a"="b" of IIF never holds"#],
        );
        check(
            r#"IIF(IsPresent("a"), [x], [y])"#,
            &[r#"constantCondition: the condition IsPresent("a") of IIF always holds"#],
        );
        check(
            r#"IIF([a]=[a], [x], [y])"#,
            &["constantCondition: the comparison of [a] with itself always holds"],
        );
        check(
            r#"IIF([a]<>[a], [x], [y])"#,
            &["constantCondition: the comparison of [a] with itself never holds"],
        );
        check(
            r#"IIF([a]="1", [x], [x])"#,
            &["constantCondition: IIF yields [x] whether its condition holds or not"],
        );
        check(
            r#"IIF(Not("True"), [x], [y])"#,
            &[
                r#"constantCondition: the condition Not("True") of IIF never holds"#,
                r#"constantCondition: the condition "True" of Not always holds"#,
            ],
        );
    }

    #[test]
    fn doubled_keys_and_what_is_behind_a_constant_are_found() {
        check(
            r#"Switch([a], "d", "1", "x", "2", "y", "1", "z")"#,
            &[r#"doubledKey: the key "1" of Switch stands there already; the first one counts"#],
        );
        check(
            r#"Coalesce([a], "b", [c])"#,
            &[r#"unreachableArgument: Coalesce never comes to [c]: "b" is never null"#],
        );
        check(
            r#"Switch("a", [b], "a", [c])"#,
            &[
                r#"constantCondition: Switch compares the fixed value "a", so that the same key is chosen for everybody"#,
            ],
        );
        check(
            r#"Join("-", "a", "b")"#,
            &[r#"constantExpression: the expression reads no attribute and always yields "a-b""#],
        );
    }

    #[test]
    fn what_can_differ_is_no_doubt() {
        for text in [
            r#"Join("-", Guid(), "b")"#,
            r#"IIF([a]="1", [x], [y])"#,
            r#"IIF(DefaultDomain()="contoso.example", [x], [y])"#,
            r#"Switch([a], "d", "a", "1", "A", "1")"#,
            r#"Coalesce([a], "b")"#,
            r#"FormatDateTime(Now(), , "yyyy", "yyyy")"#,
            r#"IIF([a]="1", "x", IgnoreAttributeFlow)"#,
            r#""fixed""#,
        ] {
            check(text, &[]);
        }
        assert!(doubts(r#"Switch([a] = "1", "x", True, "y")"#, Dialect::Hybrid).is_empty());
        assert_eq!(
            doubts(r#"Switch(True, "x", [a] = "1", "y")"#, Dialect::Hybrid),
            ["constantCondition: the condition True of Switch always holds"]
        );
    }
}
