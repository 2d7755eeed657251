//! Evaluation: steps, predicates, operators (XPath 1.0 §2.4, §3).

use std::cell::Cell;

use roxmltree::{Node, NodeType};

use super::parser::{Axis, Binary, Expr, Start, Step, Test};
use super::value::{Item, Value, number_of};

/// What an expression is evaluated in.
pub(super) struct Context<'d, 'i> {
    pub(super) node: Item<'d, 'i>,
    /// From 1.
    pub(super) position: usize,
    pub(super) size: usize,
}

/// One evaluation, and what it may still cost.
pub(super) struct Scan {
    left: Cell<u64>,
}

pub(super) type Outcome<T> = Result<T, String>;

impl Scan {
    pub(super) fn new(budget: u64) -> Self {
        Self { left: Cell::new(budget) }
    }

    /// Counts visited nodes.
    fn spend(&self, count: usize) -> Outcome<()> {
        let left = self.left.get().checked_sub(count as u64).ok_or("the expression visits too many nodes")?;
        self.left.set(left);
        Ok(())
    }

    pub(super) fn evaluate<'d, 'i>(
        &self,
        expression: &Expr,
        context: &Context<'d, 'i>,
    ) -> Outcome<Value<'d, 'i>> {
        Ok(match expression {
            Expr::Literal(text) => Value::Text(text.clone()),
            Expr::Number(number) => Value::Number(*number),
            Expr::Negate(inner) => Value::Number(-self.evaluate(inner, context)?.to_number()),
            Expr::Binary(operator, left, right) => self.binary(*operator, left, right, context)?,
            Expr::Call(function, arguments) => {
                let mut values = Vec::with_capacity(arguments.len());
                for argument in arguments {
                    values.push(self.evaluate(argument, context)?);
                }
                (function.call)(&values, context)?
            }
            Expr::Path(start, steps) => {
                let mut nodes = match start {
                    Start::Here => vec![context.node],
                    Start::Root => vec![root(context.node)],
                    Start::From(inner) => self.nodes(inner, context)?,
                };
                for step in steps {
                    nodes = self.step(step, &nodes)?;
                }
                Value::Nodes(nodes)
            }
            Expr::Filter(inner, predicates) => {
                let mut nodes = self.nodes(inner, context)?;
                for predicate in predicates {
                    nodes = self.keep(predicate, nodes)?;
                }
                Value::Nodes(nodes)
            }
        })
    }

    fn nodes<'d, 'i>(&self, expression: &Expr, context: &Context<'d, 'i>) -> Outcome<Vec<Item<'d, 'i>>> {
        match self.evaluate(expression, context)? {
            Value::Nodes(nodes) => Ok(nodes),
            _ => Err("a path goes on from something that is no set of nodes".to_owned()),
        }
    }

    fn step<'d, 'i>(&self, step: &Step, from: &[Item<'d, 'i>]) -> Outcome<Vec<Item<'d, 'i>>> {
        let mut found = Vec::new();
        for item in from {
            let mut nodes = Vec::new();
            self.walk(step, *item, &mut nodes)?;
            for predicate in &step.predicates {
                nodes = self.keep(predicate, nodes)?;
            }
            found.append(&mut nodes);
        }
        if from.len() > 1 || step.axis.is_reverse() {
            found.sort_unstable_by(Item::order);
            found.dedup();
        }
        Ok(found)
    }

    /// The nodes of an axis that pass the test, in the order of the axis.
    fn walk<'d, 'i>(&self, step: &Step, from: Item<'d, 'i>, into: &mut Vec<Item<'d, 'i>>) -> Outcome<()> {
        let mut add = |item: Item<'d, 'i>| -> Outcome<()> {
            self.spend(1)?;
            if passes(&step.test, step.axis, &item) {
                into.push(item);
            }
            Ok(())
        };
        let node = match from {
            Item::Node(node) => Some(node),
            Item::Attribute(..) => None,
        };
        match step.axis {
            Axis::Itself => add(from)?,
            Axis::Child => {
                node.into_iter().flat_map(|node| node.children()).try_for_each(|one| add(one.into()))?
            }
            Axis::Attribute => {
                if let Some(node) = node {
                    (0..node.attributes().len()).try_for_each(|place| add(Item::Attribute(node, place)))?;
                }
            }
            Axis::Parent => from.parent().into_iter().try_for_each(|one| add(one.into()))?,
            Axis::Descendant => {
                node.into_iter()
                    .flat_map(|node| node.descendants().skip(1))
                    .try_for_each(|one| add(one.into()))?;
            }
            Axis::DescendantOrSelf => match node {
                Some(node) => node.descendants().try_for_each(|one| add(one.into()))?,
                None => add(from)?,
            },
            Axis::Ancestor => ancestors(from.parent()).try_for_each(|one| add(one.into()))?,
            Axis::AncestorOrSelf => {
                add(from)?;
                ancestors(from.parent()).try_for_each(|one| add(one.into()))?;
            }
            Axis::FollowingSibling => {
                node.into_iter()
                    .flat_map(|node| node.next_siblings().skip(1))
                    .try_for_each(|one| add(one.into()))?;
            }
            Axis::PrecedingSibling => {
                node.into_iter()
                    .flat_map(|node| node.prev_siblings().skip(1))
                    .try_for_each(|one| add(one.into()))?;
            }
            // What begins after the node ends; of an attribute, its element's content too (§2.2).
            Axis::Following => {
                if let Item::Attribute(owner, _) = from {
                    owner.descendants().skip(1).try_for_each(|one| add(one.into()))?;
                }
                let start = node.or(from.parent());
                for above in
                    start.into_iter().flat_map(|node| std::iter::once(node).chain(ancestors(node.parent())))
                {
                    for sibling in above.next_siblings().skip(1) {
                        sibling.descendants().try_for_each(|one| add(one.into()))?;
                    }
                }
            }
            Axis::Preceding => {
                let start = node.or(from.parent());
                for above in
                    start.into_iter().flat_map(|node| std::iter::once(node).chain(ancestors(node.parent())))
                {
                    for sibling in above.prev_siblings().skip(1) {
                        let mut below: Vec<_> = sibling.descendants().collect();
                        below.reverse();
                        below.into_iter().try_for_each(|one| add(one.into()))?;
                    }
                }
            }
        }
        Ok(())
    }

    /// The nodes for which a predicate is true; a number is a position (§2.4).
    fn keep<'d, 'i>(&self, predicate: &Expr, nodes: Vec<Item<'d, 'i>>) -> Outcome<Vec<Item<'d, 'i>>> {
        let size = nodes.len();
        let mut kept = Vec::new();
        for (index, node) in nodes.into_iter().enumerate() {
            let position = index + 1;
            let is_kept = match self.evaluate(predicate, &Context { node, position, size })? {
                Value::Number(number) => number == position as f64,
                other => other.to_boolean(),
            };
            if is_kept {
                kept.push(node);
            }
        }
        Ok(kept)
    }

    fn binary<'d, 'i>(
        &self,
        operator: Binary,
        left: &Expr,
        right: &Expr,
        context: &Context<'d, 'i>,
    ) -> Outcome<Value<'d, 'i>> {
        if operator == Binary::Union {
            let mut nodes = self.nodes(left, context)?;
            nodes.extend(self.nodes(right, context)?);
            nodes.sort_unstable_by(Item::order);
            nodes.dedup();
            return Ok(Value::Nodes(nodes));
        }
        let left = self.evaluate(left, context)?;
        // The right side is not looked at when the left one decides (§3.4).
        match operator {
            Binary::Or if left.to_boolean() => return Ok(Value::Boolean(true)),
            Binary::And if !left.to_boolean() => return Ok(Value::Boolean(false)),
            _ => {}
        }
        let right = self.evaluate(right, context)?;
        let number = |calculate: fn(f64, f64) -> f64| {
            Ok(Value::Number(calculate(left.to_number(), right.to_number())))
        };
        match operator {
            Binary::Or | Binary::And => Ok(Value::Boolean(right.to_boolean())),
            Binary::Add => number(|left, right| left + right),
            Binary::Subtract => number(|left, right| left - right),
            Binary::Multiply => number(|left, right| left * right),
            Binary::Divide => number(|left, right| left / right),
            Binary::Modulo => number(|left, right| left % right),
            _ => self.compare(operator, &left, &right).map(Value::Boolean),
        }
    }

    /// Comparisons: of sets, whether there is a node, or a pair of nodes, for which it is true (§3.4).
    fn compare(&self, operator: Binary, left: &Value<'_, '_>, right: &Value<'_, '_>) -> Outcome<bool> {
        match (left, right) {
            (Value::Nodes(left), Value::Nodes(right)) => {
                let right: Vec<String> = right.iter().map(Item::text).collect();
                for item in left {
                    self.spend(right.len())?;
                    let text = item.text();
                    let is_true = |other: &String| match operator {
                        Binary::Equal => text == *other,
                        Binary::NotEqual => text != *other,
                        _ => ordered(operator, number_of(&text), number_of(other)),
                    };
                    if right.iter().any(is_true) {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            (Value::Nodes(_), Value::Boolean(_)) => {
                Ok(plain(operator, &Value::Boolean(left.to_boolean()), right))
            }
            (Value::Boolean(_), Value::Nodes(_)) => {
                Ok(plain(operator, left, &Value::Boolean(right.to_boolean())))
            }
            (Value::Nodes(nodes), other) => {
                self.spend(nodes.len())?;
                Ok(nodes.iter().any(|node| plain(operator, &Value::Text(node.text()), other)))
            }
            (other, Value::Nodes(nodes)) => {
                self.spend(nodes.len())?;
                Ok(nodes.iter().any(|node| plain(operator, other, &Value::Text(node.text()))))
            }
            _ => Ok(plain(operator, left, right)),
        }
    }
}

/// A comparison without sets of nodes.
fn plain(operator: Binary, left: &Value<'_, '_>, right: &Value<'_, '_>) -> bool {
    let is_equal = || match (left, right) {
        (Value::Boolean(_), _) | (_, Value::Boolean(_)) => left.to_boolean() == right.to_boolean(),
        (Value::Number(_), _) | (_, Value::Number(_)) => left.to_number() == right.to_number(),
        _ => left.to_text() == right.to_text(),
    };
    match operator {
        Binary::Equal => is_equal(),
        Binary::NotEqual => !is_equal(),
        _ => ordered(operator, left.to_number(), right.to_number()),
    }
}

fn ordered(operator: Binary, left: f64, right: f64) -> bool {
    match operator {
        Binary::Less => left < right,
        Binary::LessOrEqual => left <= right,
        Binary::Greater => left > right,
        Binary::GreaterOrEqual => left >= right,
        _ => false,
    }
}

fn root<'d, 'i>(item: Item<'d, 'i>) -> Item<'d, 'i> {
    match item {
        Item::Node(node) | Item::Attribute(node, _) => node.document().root().into(),
    }
}

fn ancestors<'d, 'i>(first: Option<Node<'d, 'i>>) -> impl Iterator<Item = Node<'d, 'i>> {
    std::iter::successors(first, Node::parent)
}

fn passes(test: &Test, axis: Axis, item: &Item<'_, '_>) -> bool {
    let kind = match item {
        Item::Node(node) => Some(node.node_type()),
        Item::Attribute(..) => None,
    };
    // A name means the axis's own kind of node: attributes on the attribute axis, elements elsewhere (§2.3).
    let is_principal = match axis {
        Axis::Attribute => kind.is_none(),
        _ => kind == Some(NodeType::Element),
    };
    match test {
        Test::Node => true,
        Test::Text => kind == Some(NodeType::Text),
        Test::Comment => kind == Some(NodeType::Comment),
        Test::Instruction(target) => {
            kind == Some(NodeType::PI)
                && target.as_ref().is_none_or(|target| item.name().is_some_and(|(_, name)| name == target))
        }
        Test::Any => is_principal,
        Test::In(namespace) => {
            is_principal && item.name().is_some_and(|(found, _)| found == Some(namespace.as_str()))
        }
        Test::Name(namespace, local) => {
            is_principal
                && item.name().is_some_and(|(found, name)| name == local && found == namespace.as_deref())
        }
    }
}
