//! `$expand`: related objects inside the answer, one level deep; managers as many levels as asked.

use serde_json::{Map, Value};
use usher_core::ports::AssignmentQuery;
use usher_core::{Entry, EntryId, Relation};

use super::{Collection, is_eventual, mixed, wants_count};
use crate::call::Call;
use crate::errors::Refusal;

/// How many related objects one expansion shows, as Graph does.
const MOST: usize = 20;
/// How many levels of managers `$levels=max` climbs.
const LEVELS: usize = 100;

/// A relation to be shown inside.
pub struct Expansion {
    name: String,
    select: Option<Vec<String>>,
    levels: usize,
}

impl Collection {
    /// The relations that were asked for.
    ///
    /// # Errors
    /// 400 for what is not understood.
    pub fn expansions(&self, call: &Call) -> Result<Vec<Expansion>, Refusal> {
        let Some(text) = call.option("$expand") else { return Ok(Vec::new()) };
        let all: Vec<Expansion> =
            split(text, ',').into_iter().map(|one| self.expansion(one)).collect::<Result<_, _>>()?;
        if all.iter().any(|one| one.levels > 1) && !(is_eventual(call) && wants_count(call)) {
            return Err(Refusal::unsupported_query(
                "$levels needs the header ConsistencyLevel: eventual and the query option $count=true.",
            ));
        }
        Ok(all)
    }

    fn expansion(&self, text: &str) -> Result<Expansion, Refusal> {
        let (name, options) = match text.split_once('(') {
            Some((name, rest)) => {
                (name, rest.strip_suffix(')').ok_or_else(|| bad("a bracket is not closed"))?)
            }
            None => (text, ""),
        };
        let name = name.trim();
        let known = self.expands.iter().find(|known| known.eq_ignore_ascii_case(name)).ok_or_else(|| {
            bad(&format!(
                "'{name}' cannot be expanded on {}; these can: {}",
                self.name,
                self.expands.join(", ")
            ))
        })?;
        let mut expansion = Expansion { name: (*known).to_owned(), select: None, levels: 1 };
        for option in split(options, ';').into_iter().filter(|option| !option.trim().is_empty()) {
            let (option, value) = option.split_once('=').ok_or_else(|| bad("an option needs a value"))?;
            match option.trim().to_ascii_lowercase().as_str() {
                "$select" => {
                    expansion.select = Some(value.split(',').map(|name| name.trim().to_owned()).collect());
                }
                "$levels" if *known == "manager" => {
                    expansion.levels = match value.trim() {
                        "max" => LEVELS,
                        number => number
                            .parse()
                            .ok()
                            .filter(|levels| (1..=LEVELS).contains(levels))
                            .ok_or_else(|| bad("$levels is a number or max"))?,
                    };
                }
                other => return Err(bad(&format!("the option {other} is not supported"))),
            }
        }
        Ok(expansion)
    }
}

fn bad(what: &str) -> Refusal {
    Refusal::bad_request(format!("Parsing $expand failed: {what}."))
}

/// Splits at a sign that stands outside of brackets.
fn split(text: &str, sign: char) -> Vec<&str> {
    let mut depth = 0_usize;
    text.split(|character| {
        match character {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        character == sign && depth == 0
    })
    .collect()
}

impl Expansion {
    /// Puts what an entry is related to into its view.
    ///
    /// # Errors
    /// Only the store's.
    pub async fn add_to(
        &self,
        call: &Call,
        entry: &Entry,
        view: &mut Map<String, Value>,
    ) -> Result<(), Refusal> {
        let engine = &call.state.engine;
        let value = match self.name.as_str() {
            "manager" => {
                let Some(manager) = self.managers(call, entry).await? else { return Ok(()) };
                manager
            }
            "directReports" => self.shown(engine.referring(&entry.id, Relation::Manager, None, MOST).await?),
            "memberOf" => self.shown(engine.referring(&entry.id, Relation::Members, None, MOST).await?),
            "ownedObjects" => self.shown(engine.referring(&entry.id, Relation::Owners, None, MOST).await?),
            "members" => self.shown(engine.linked(&entry.id, Relation::Members, None, MOST).await?),
            "owners" => self.shown(engine.linked(&entry.id, Relation::Owners, None, MOST).await?),
            "appRoleAssignments" => {
                self.assignments(call, AssignmentQuery::Principal(entry.id.clone())).await?
            }
            "appRoleAssignedTo" => {
                self.assignments(call, AssignmentQuery::Resource(entry.id.clone())).await?
            }
            _ => return Ok(()),
        };
        view.insert(self.name.clone(), value);
        Ok(())
    }

    fn shown(&self, entries: Vec<Entry>) -> Value {
        entries.iter().map(|entry| Value::Object(mixed(entry, self.select.as_deref()))).collect()
    }

    async fn assignments(&self, call: &Call, of: AssignmentQuery) -> Result<Value, Refusal> {
        let named = call.state.engine.assignments(&of).await?;
        Ok(named.iter().take(MOST).map(crate::graph::assignment_view).collect())
    }

    /// The manager, with the manager's manager inside, as far up as asked. A circle ends where it began.
    async fn managers(&self, call: &Call, entry: &Entry) -> Result<Option<Value>, Refusal> {
        let mut chain: Vec<Entry> = Vec::new();
        let mut at: EntryId = entry.id.clone();
        while chain.len() < self.levels {
            let above = call.state.engine.linked(&at, Relation::Manager, None, 1).await?.pop();
            let Some(manager) = above else { break };
            if manager.id == entry.id || chain.iter().any(|known| known.id == manager.id) {
                break;
            }
            at = manager.id.clone();
            chain.push(manager);
        }
        let mut shown: Option<Value> = None;
        for manager in chain.iter().rev() {
            let mut view = mixed(manager, self.select.as_deref());
            if let Some(above) = shown.take() {
                view.insert("manager".to_owned(), above);
            }
            shown = Some(Value::Object(view));
        }
        Ok(shown)
    }
}
