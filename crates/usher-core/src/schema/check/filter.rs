//! Checking scoping filters: attributes, operators, operands.

use super::{Checker, Ends};
use crate::operators::{self, Arity, CompiledFilter, Operator};
use crate::schema::{AttributeDefinition, AttributeType, FilterClause, ScopingFilter};

impl Checker<'_> {
    pub(super) fn scope(&mut self, path: &str, scope: &ScopingFilter, ends: &Ends<'_>) {
        let kinds = [
            ("groups", &scope.groups),
            ("inputFilterGroups", &scope.input_filter_groups),
            ("categoryFilterGroups", &scope.category_filter_groups),
        ];
        for (kind, groups) in kinds {
            for (index, group) in groups.iter().enumerate() {
                if group.clauses.is_empty() {
                    let message = "the filter group has no clauses, so everything passes it";
                    let place = format!("{path}.{kind}[{index}]");
                    self.warn("emptyGroup", &place, message, "remove it, or give it clauses");
                }
                for (index_in_group, clause) in group.clauses.iter().enumerate() {
                    self.clause(&format!("{path}.{kind}[{index}].clauses[{index_in_group}]"), clause, ends);
                }
            }
        }
        if let Err(problems) = CompiledFilter::compile(scope) {
            self.found.extend(problems.into_iter().map(|mut problem| {
                problem.path = format!("{path}{}", problem.path.trim_start_matches('$'));
                problem
            }));
        }
    }

    fn clause(&mut self, path: &str, clause: &FilterClause, ends: &Ends<'_>) {
        let name = &clause.source_operand_name;
        if !name.is_empty() && ends.lacks(name) {
            let message = format!("the source object has no attribute '{name}'");
            self.warn("unknownSource", path, message, "add its definition, or correct the name");
        }
        let Some(operator) = operators::find(&clause.operator_name) else { return };
        if operator.arity == Arity::Unary && !clause.target_operand.is_empty() {
            let message = format!("'{}' takes no operand; the one given is passed over", operator.name);
            self.warn("needlessOperand", path, message, "remove targetOperand");
        }
        if let Some(attribute) = ends.source_attribute(name) {
            self.operands(path, clause, operator, attribute);
        }
    }

    fn operands(
        &mut self,
        path: &str,
        clause: &FilterClause,
        operator: &Operator,
        attribute: &AttributeDefinition,
    ) {
        let name = &attribute.name;
        if !operator.types.contains(&attribute.value_type) {
            let types: Vec<&str> = operator.types.iter().map(|one| one.name()).collect();
            let message = format!(
                "'{}' is not meant for '{name}', which is {}",
                operator.name,
                attribute.value_type.name()
            );
            self.warn("operandType", path, message, format!("it is meant for {}", types.join(", ")));
        } else if attribute.value_type == AttributeType::Integer && operator.compares_values() {
            for operand in
                clause.target_operand.iter().filter(|operand| operand.trim().parse::<i64>().is_err())
            {
                let message = format!("'{name}' is a whole number, but '{operand}' is none");
                self.warn("wrongValue", path, message, "correct the operand");
            }
        }
    }
}
