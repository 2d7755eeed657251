//! The tree as Graph's `attributeMappingSource`: `{expression, name, type, parameters}`.

use serde_json::{Value as Json, json};

use crate::dialect::Dialect;
use crate::functions::{self, Function, Type};
use crate::node::{Node, NodeKind};

impl Node {
    /// The tree as Graph's parsed expressions show it.
    ///
    /// Every argument that is present is one parameter entry under its declared key; a repeating one
    /// has an entry for every value. The comparison in the condition of `IIF` stands in three entries
    /// `one`, `two` and `three`; elsewhere an operator is a function of that name with `left` and `right`.
    pub fn to_source_json(&self, dialect: Dialect) -> Json {
        match &self.kind {
            NodeKind::Call { name, arguments } => self.call_json(name, arguments, dialect),
            NodeKind::Attribute(name) => node_json(&self.to_string(), name, "Attribute", Vec::new()),
            NodeKind::Text(text) => node_json(&self.to_string(), text, "Constant", Vec::new()),
            NodeKind::Number(number) => constant_json(&decimal(number)),
            NodeKind::Parameter(_) | NodeKind::Variable(_) | NodeKind::Word(_) | NodeKind::Missing => {
                let text = self.to_string();
                node_json(&text, &text, "Constant", Vec::new())
            }
            NodeKind::Comparison { operator, left, right } => {
                let parameters = vec![
                    entry("left", left.to_source_json(dialect)),
                    entry("right", right.to_source_json(dialect)),
                ];
                node_json(&self.to_string(), operator.symbol(), "Function", parameters)
            }
            NodeKind::Concatenation(operands) => {
                let parameters =
                    operands.iter().map(|operand| entry("source", operand.to_source_json(dialect))).collect();
                node_json(&self.to_string(), "&", "Function", parameters)
            }
        }
    }

    fn call_json(&self, name: &str, arguments: &[Option<Node>], dialect: Dialect) -> Json {
        let function = functions::find(name, dialect).or_else(|| functions::find_any_case(name, dialect));
        let params = function.map_or(&[][..], |function| function.params_for(arguments.len()));
        let mut parameters = Vec::new();
        for (index, argument) in arguments.iter().enumerate() {
            let Some(argument) = argument else { continue };
            let param = Function::param(params, index);
            if let NodeKind::Comparison { operator, left, right } = &argument.kind
                && param.is_some_and(|param| param.ty == Type::Condition)
            {
                parameters.push(entry("one", left.to_source_json(dialect)));
                parameters.push(entry("two", constant_json(operator.symbol())));
                parameters.push(entry("three", right.to_source_json(dialect)));
                continue;
            }
            let key = param.map_or("source", |param| param.graph_key());
            parameters.push(entry(key, argument.to_source_json(dialect)));
        }
        let name = function.map_or(name, |function| function.name);
        node_json(&self.to_string(), name, "Function", parameters)
    }
}

fn entry(key: &str, value: Json) -> Json {
    json!({ "key": key, "value": value })
}

fn constant_json(text: &str) -> Json {
    node_json(&crate::node::quote(text), text, "Constant", Vec::new())
}

fn node_json(expression: &str, name: &str, kind: &str, parameters: Vec<Json>) -> Json {
    json!({ "expression": expression, "name": name, "type": kind, "parameters": parameters })
}

fn decimal(number: &str) -> String {
    let hexadecimal = number.strip_prefix("&H").or_else(|| number.strip_prefix("&h"));
    match hexadecimal.and_then(|digits| i64::from_str_radix(digits, 16).ok()) {
        Some(value) => value.to_string(),
        None => number.to_owned(),
    }
}
