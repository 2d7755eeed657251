//! The planner's questions, answered by source, target and store; nothing is changed here.

use std::collections::BTreeMap;

use smol_str::SmolStr;
use usher_core::planner::{Decision, plan};
use usher_core::ports::{ConnectorError, ConnectorErrorKind, MatchQuery};
use usher_core::program::MappingProgram;
use usher_core::{Anchor, Answer, Facts, Plan, Question};
use usher_expr::{Context, Value};

use crate::subject::Run;

/// How often the planner may come back with questions before something is wrong with it.
const ROUNDS: usize = 64;

impl Run<'_> {
    /// Calls the planner until nothing is left to ask.
    pub(crate) async fn decide(
        &self,
        mapping: &MappingProgram,
        facts: &mut Facts,
        known: &BTreeMap<Anchor, Anchor>,
        context: &Context,
    ) -> Result<Plan, Stop> {
        for _ in 0..ROUNDS {
            match plan(mapping, facts, &self.rule.source_directory, &self.target_name(), context) {
                Decision::Done(plan) => return Ok(*plan),
                Decision::Ask(questions) => {
                    for question in questions {
                        let answer = self.ask(facts, &question, known).await?;
                        facts.answers.push((question, answer));
                    }
                }
            }
        }
        unreachable!("the planner asks only what was not answered, and there are few kinds of question")
    }

    async fn ask(
        &self,
        facts: &mut Facts,
        question: &Question,
        known: &BTreeMap<Anchor, Anchor>,
    ) -> Result<Answer, Stop> {
        let store = &self.engine.store;
        Ok(match question {
            Question::Match(query) => Answer::Matches(self.target.find(query).await?),
            Question::Target(request) => match self.target.get(request).await {
                Ok(found) => {
                    facts.missing_since = None;
                    Answer::Target(found)
                }
                Err(error) if error.kind == ConnectorErrorKind::Unsettled => {
                    facts.missing_since.get_or_insert_with(|| self.engine.clock.now());
                    Answer::Target(None)
                }
                Err(error) => return Err(error.into()),
            },
            Question::Claims { object_type, anchor } => {
                let own = facts.source.as_ref().map(|object| &object.anchor);
                let pairings = store.pairings_of_target(&self.job.id, object_type, anchor).await?;
                let others: Vec<Anchor> = pairings
                    .into_iter()
                    .map(|pairing| pairing.source_anchor)
                    .filter(|anchor| Some(anchor) != own)
                    .collect();
                Answer::Claims(self.rightful(facts, others).await)
            }
            Question::Unique { object_type, attribute, candidates } => {
                Answer::Unique(self.first_free(object_type, attribute, candidates).await?)
            }
            Question::References { object_types, anchors } => {
                let all: Vec<SmolStr> =
                    self.rule.mappings.iter().map(|mapping| mapping.source_type.clone()).collect();
                let types = if object_types.is_empty() { &all } else { object_types };
                let mut pairs = store.pairs(&self.job.id, types, anchors).await?;
                for anchor in anchors {
                    if let Some(other) = known.get(anchor) {
                        pairs.insert(anchor.clone(), other.clone());
                    }
                }
                Answer::References(pairs)
            }
        })
    }

    /// The source objects among these whose place the subject does not take; the others are noted.
    async fn rightful(&self, facts: &mut Facts, others: Vec<Anchor>) -> Vec<Anchor> {
        let mut rightful = Vec::new();
        for other in others {
            let supersedes = match &facts.source {
                Some(object) => self.prepared.source.supersedes(object, &other).await,
                None => Ok(false),
            };
            match supersedes {
                Ok(true) => facts.superseded.push(other),
                Ok(false) => rightful.push(other),
                Err(error) => {
                    tracing::warn!(job.id = %self.job.id, code = %error.code, "the source cannot be asked: {error}");
                    rightful.push(other);
                }
            }
        }
        rightful
    }

    async fn first_free(
        &self,
        object_type: &SmolStr,
        attribute: &SmolStr,
        candidates: &[Value],
    ) -> Result<Option<Value>, ConnectorError> {
        for candidate in candidates {
            if self.taken.contains(&unique_key(object_type, attribute, candidate)) {
                continue;
            }
            let query = MatchQuery {
                object_type: object_type.clone(),
                attribute: attribute.clone(),
                value: candidate.clone(),
                attributes: vec![attribute.clone()],
            };
            if self.target.find(&query).await?.is_empty() {
                return Ok(Some(candidate.clone()));
            }
        }
        Ok(None)
    }
}

/// Names a value that only one object may have.
pub(crate) fn unique_key(object_type: &str, attribute: &str, value: &Value) -> String {
    format!("{object_type}\n{attribute}\n{}", value.to_text().to_lowercase())
}

/// Why the planner's questions could not be answered.
pub(crate) enum Stop {
    Store(usher_core::ports::StoreError),
    Target(ConnectorError),
}

impl From<usher_core::ports::StoreError> for Stop {
    fn from(error: usher_core::ports::StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<ConnectorError> for Stop {
    fn from(error: ConnectorError) -> Self {
        Self::Target(error)
    }
}
