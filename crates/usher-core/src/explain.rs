//! Why: each clause of each filter with its value, each match query with what came back, each mapping with the value
//! of every sub-expression. Everything is computed anew from the facts that the plan was made from.

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use usher_expr::Context;

use crate::program::{AttributeProgram, MappingProgram, Source};
use crate::saved::hiding::Hidden;
use crate::steps::processing::REDACTED;
use crate::steps::{import, scoping, shown};
use crate::{Answer, DirectoryObject, Facts, Question};

/// How the plan of an object came about.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// The clauses of the scoping filters.
    pub clauses: Vec<Clause>,
    /// What the target and the store were asked, and what came back.
    pub questions: Vec<Asked>,
    /// The attribute mappings.
    pub mappings: Vec<Mapped>,
}

/// A clause of a scoping filter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Clause {
    /// The clause, as the scoping step calls it.
    pub title: String,
    /// The source attribute that it reads.
    pub attribute: SmolStr,
    /// The attribute's value; `None` when it has none.
    pub value: Option<String>,
    /// Whether it holds.
    pub passed: bool,
    /// Why it could not be evaluated.
    pub error: Option<String>,
}

/// A question and its answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Asked {
    /// What was asked.
    pub question: String,
    /// What came back.
    pub answer: String,
}

/// An attribute mapping and what it came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Mapped {
    /// The target attribute.
    pub target: SmolStr,
    /// The mapping as the schema writes it.
    pub source: String,
    /// What it came to.
    pub value: String,
    /// The value that the target has; `None` when it has none, or there is no object yet.
    pub current: Option<String>,
    /// It is a matching attribute of this priority.
    pub matching_priority: Option<i32>,
    /// Every sub-expression and what it came to.
    pub parts: Vec<Part>,
}

/// A sub-expression and what it came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Part {
    /// The sub-expression as it is written.
    pub source: String,
    /// What it came to.
    pub value: String,
    /// What was evaluated on the way.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub parts: Vec<Part>,
}

/// Explains. `target` is the object that was found.
pub fn explain(
    mapping: &MappingProgram,
    facts: &Facts,
    target: Option<&DirectoryObject>,
    context: &Context,
) -> Explanation {
    let hidden = Hidden::of(mapping);
    let questions = facts.answers.iter().map(|(question, answer)| asked(question, answer, &hidden)).collect();
    let Some(source) = &facts.source else {
        return Explanation { questions, ..Explanation::default() };
    };
    let mut source = import::with_defaults(mapping, source);
    let result = mapping.filter.evaluate(&source.attributes);
    let clauses = result
        .clauses
        .into_iter()
        .map(|clause| {
            let value = source.attributes.value(&clause.attribute);
            let is_hidden = hidden.hides_source(&clause.attribute);
            Clause {
                value: value.map(|value| if is_hidden { REDACTED.to_owned() } else { shown(value) }),
                title: clause.title,
                attribute: clause.attribute,
                passed: clause.passed,
                error: clause.error,
            }
        })
        .collect();
    let (verdict, _) = scoping::scope(mapping, facts, &Default::default(), &source);
    import::set_soft_deleted(&mut source, !(verdict.is_active && verdict.is_entitled()));
    let mappings = mapping
        .attributes
        .iter()
        .map(|attribute| mapped(attribute, &source, target, context, &hidden))
        .collect();
    Explanation { clauses, questions, mappings }
}

fn mapped(
    attribute: &AttributeProgram,
    source: &DirectoryObject,
    target: Option<&DirectoryObject>,
    context: &Context,
    hidden: &Hidden,
) -> Mapped {
    let is_hidden = hidden.hides_target(&attribute.target)
        || attribute.reads().iter().any(|name| hidden.hides_source(name));
    let value = match attribute.evaluate(&source.attributes, context) {
        _ if is_hidden => REDACTED.to_owned(),
        Ok(outcome) => outcome.to_string(),
        Err(error) => format!("error: {error}"),
    };
    let (text, parts) = match &attribute.source {
        Source::None => ("(nothing)".to_owned(), Vec::new()),
        Source::Attribute(name) => (format!("[{name}]"), Vec::new()),
        Source::Constant(constant) => (format!("\"{}\"", constant.to_text()), Vec::new()),
        Source::Expression(expression) if is_hidden => (expression.source().to_owned(), Vec::new()),
        Source::Expression(expression) => {
            let tree = expression.explain(&source.attributes, &attribute.own_context(context)).tree;
            (expression.source().to_owned(), vec![part(&tree)])
        }
    };
    let current = target.and_then(|object| object.attributes.value(&attribute.target));
    Mapped {
        target: attribute.target.clone(),
        source: text,
        value,
        current: current.map(|value| if is_hidden { REDACTED.to_owned() } else { shown(value) }),
        matching_priority: (attribute.matching_priority > 0).then_some(attribute.matching_priority),
        parts,
    }
}

fn part(tree: &usher_expr::Explanation) -> Part {
    Part {
        source: tree.source.split_whitespace().collect::<Vec<_>>().join(" "),
        value: tree.finding.to_string(),
        parts: tree.children.iter().map(part).collect(),
    }
}

fn asked(question: &Question, answer: &Answer, hidden: &Hidden) -> Asked {
    let question = match question {
        Question::Match(query) => {
            let value =
                if hidden.hides_target(&query.attribute) { REDACTED.to_owned() } else { shown(&query.value) };
            format!("which {} has {} \"{value}\"?", query.object_type, query.attribute)
        }
        Question::Target(request) => format!("what is {} '{}'?", request.object_type, request.anchor),
        Question::Claims { object_type, anchor } => {
            format!("which other source objects are paired with {object_type} '{anchor}'?")
        }
        Question::Unique { attribute, candidates, .. } => {
            let candidates: Vec<String> = candidates.iter().map(shown).collect();
            format!("which of {} is the first {attribute} that nobody has?", candidates.join(", "))
        }
        Question::References { anchors, .. } => {
            let anchors: Vec<&str> = anchors.iter().map(crate::Anchor::as_str).collect();
            format!("which target objects are {}?", anchors.join(", "))
        }
    };
    let list = |anchors: Vec<String>| if anchors.is_empty() { "none".to_owned() } else { anchors.join(", ") };
    let object = |object: &DirectoryObject| {
        let attributes: Vec<String> = hidden
            .target(&object.attributes)
            .iter()
            .map(|(name, value)| format!("{name}: {value}"))
            .collect();
        format!("'{}' ({})", object.anchor, attributes.join(", "))
    };
    let answer = match answer {
        Answer::Matches(objects) => list(objects.iter().map(object).collect()),
        Answer::Target(None) => "it is gone".to_owned(),
        Answer::Target(Some(found)) => object(found),
        Answer::Claims(anchors) => list(anchors.iter().map(ToString::to_string).collect()),
        Answer::Unique(value) => value.as_ref().map_or_else(|| "all are taken".to_owned(), shown),
        Answer::References(pairs) => list(pairs.iter().map(|(from, to)| format!("{from} is {to}")).collect()),
    };
    Asked { question, answer }
}
