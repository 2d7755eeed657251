//! Pages of collections: filtered, searched, in order, counted.

use serde_json::{Map, Value, json};
use usher_core::ports::EntryQuery;
use usher_core::{Entry, EntryId, Relation};

use super::{Collection, LARGEST, OWNERS, is_eventual, next_link, only, order, skipped, top, wants_count};
use crate::call::Call;
use crate::errors::Refusal;
use crate::filter::Filter;

/// How many entries one filtered page looks at before it is handed out, however few match.
const LOOKED_AT: usize = 20_000;

/// Which entries of a collection a page is of.
pub struct Entries<'a> {
    /// The collection.
    pub of: &'a Collection,
    /// Those in the bin instead of the living.
    pub deleted: bool,
    /// The path in links.
    pub path: &'a str,
}

/// What passes.
struct Sieve {
    filter: Option<Filter>,
    search: Option<super::search::Search>,
}

impl Sieve {
    async fn holds(&self, call: &Call, collection: &Collection, entry: &Entry) -> Result<bool, Refusal> {
        if self.filter.is_none() && self.search.is_none() {
            return Ok(true);
        }
        let mut whole = collection.whole(entry);
        let asks_for_owners = self
            .filter
            .as_ref()
            .is_some_and(|filter| filter.paths().iter().any(|path| path[0].eq_ignore_ascii_case(OWNERS)));
        if asks_for_owners {
            // Whether there are none, one or more is all that can be asked.
            let owners = call.state.engine.linked(&entry.id, Relation::Owners, None, 2).await?;
            whole[OWNERS] = owners.iter().map(|owner| json!(owner.id.as_str())).collect();
        }
        Ok(self.filter.as_ref().is_none_or(|filter| filter.holds(&whole, true))
            && self.search.as_ref().is_none_or(|search| search.holds(&whole)))
    }
}

impl Collection {
    /// A page of the living entries as an answer.
    ///
    /// # Errors
    /// 400 for what is not understood.
    pub async fn page(&self, call: &Call) -> Result<Value, Refusal> {
        Entries { of: self, deleted: false, path: self.name }.page(call).await
    }

    /// How many living entries there are, as `/$count` asks.
    ///
    /// # Errors
    /// 400 for what is not understood, or without `ConsistencyLevel: eventual`.
    pub async fn counted(&self, call: &Call) -> Result<usize, Refusal> {
        Entries { of: self, deleted: false, path: self.name }.counted(call).await
    }
}

impl Entries<'_> {
    /// A page as an answer.
    ///
    /// # Errors
    /// 400 for what is not understood.
    pub async fn page(&self, call: &Call) -> Result<Value, Refusal> {
        only(
            call,
            &["$select", "$top", "$skiptoken", "$filter", "$count", "$orderby", "$search", "$expand"],
        )?;
        let selected = self.of.selected(call)?;
        let expansions = self.of.expansions(call)?;
        let top = top(call, LARGEST)?;
        let sieve = self.sieve(call)?;
        let (found, next) = match order::asked(call, self.of)? {
            Some(order) => self.in_order(call, &sieve, &order, top).await?,
            None => self.by_id(call, &sieve, top).await?,
        };
        let mut page = Map::new();
        let context = match call.option("$select") {
            Some(names) => format!("{}({names})", self.of.name),
            None => self.of.name.to_owned(),
        };
        page.insert("@odata.context".to_owned(), call.context(&context));
        if wants_count(call) {
            page.insert("@odata.count".to_owned(), json!(self.count(call, &sieve).await?));
        }
        if let Some(place) = next {
            page.insert("@odata.nextLink".to_owned(), next_link(call, self.path, &place));
        }
        let mut views = Vec::with_capacity(found.len());
        for entry in &found {
            let mut view = self.of.view(entry, selected.as_deref());
            for expansion in &expansions {
                expansion.add_to(call, entry, &mut view).await?;
            }
            views.push(Value::Object(view));
        }
        page.insert("value".to_owned(), Value::Array(views));
        Ok(Value::Object(page))
    }

    /// How many pass, as `/$count` asks.
    ///
    /// # Errors
    /// 400 for what is not understood, or without `ConsistencyLevel: eventual`.
    pub async fn counted(&self, call: &Call) -> Result<usize, Refusal> {
        only(call, &["$filter", "$count", "$search"])?;
        if !is_eventual(call) {
            return Err(Refusal::unsupported_query("$count needs the header ConsistencyLevel: eventual"));
        }
        let filter = self.of.any_filter(call)?;
        let sieve = Sieve { filter, search: super::search::asked(call, self.of)? };
        self.count(call, &sieve).await
    }

    fn sieve(&self, call: &Call) -> Result<Sieve, Refusal> {
        Ok(Sieve { filter: self.of.filter(call)?, search: super::search::asked(call, self.of)? })
    }

    async fn by_id(
        &self,
        call: &Call,
        sieve: &Sieve,
        top: usize,
    ) -> Result<(Vec<Entry>, Option<String>), Refusal> {
        let mut query = EntryQuery {
            kind: self.of.kind,
            deleted: self.deleted,
            after: skipped(call)?.map(EntryId::new),
            limit: top,
            equals: self.equality(sieve),
        };
        let mut found = Vec::new();
        let mut looked = 0;
        let mut is_end = false;
        while found.len() < top && looked < LOOKED_AT && !is_end {
            let entries = call.state.engine.entries(&query).await?;
            is_end = entries.len() < query.limit;
            for entry in entries {
                looked += 1;
                query.after = Some(entry.id.clone());
                if sieve.holds(call, self.of, &entry).await? {
                    found.push(entry);
                }
                if found.len() == top {
                    is_end = false;
                    break;
                }
            }
            // A filter that few pass is read in larger pieces.
            query.limit = if self.is_indexed(sieve) { query.limit } else { LARGEST };
        }
        Ok((found, query.after.filter(|_| !is_end).map(|after| after.to_string())))
    }

    /// Looks at all entries and keeps the first `top` after the place; memory is that of a page.
    async fn in_order(
        &self,
        call: &Call,
        sieve: &Sieve,
        order: &order::Order,
        top: usize,
    ) -> Result<(Vec<Entry>, Option<String>), Refusal> {
        let after = skipped(call)?.map(|text| order.place(&text)).transpose()?;
        let mut kept = std::collections::BTreeMap::new();
        let mut is_more = false;
        let mut query = self.all();
        query.equals = self.equality(sieve);
        loop {
            let entries = call.state.engine.entries(&query).await?;
            query.after = entries.last().map(|entry| entry.id.clone());
            let is_end = entries.len() < query.limit;
            for entry in entries {
                if !sieve.holds(call, self.of, &entry).await? {
                    continue;
                }
                let key = order.key(&self.of.whole(&entry), entry.id.as_str());
                if after.as_ref().is_none_or(|after| key > *after) {
                    kept.insert(key, entry);
                    if kept.len() > top {
                        kept.pop_last();
                        is_more = true;
                    }
                }
            }
            if is_end {
                break;
            }
        }
        let next = kept.last_key_value().filter(|_| is_more).map(|(key, _)| key.write());
        Ok((kept.into_values().collect(), next))
    }

    async fn count(&self, call: &Call, sieve: &Sieve) -> Result<usize, Refusal> {
        let mut query = self.all();
        query.equals = self.equality(sieve);
        let mut count = 0;
        loop {
            let entries = call.state.engine.entries(&query).await?;
            for entry in &entries {
                count += usize::from(sieve.holds(call, self.of, entry).await?);
            }
            match entries.last() {
                Some(last) if entries.len() == LARGEST => query.after = Some(last.id.clone()),
                _ => return Ok(count),
            }
        }
    }

    fn all(&self) -> EntryQuery {
        EntryQuery { kind: self.of.kind, deleted: self.deleted, after: None, limit: LARGEST, equals: None }
    }

    /// What the store can find by an index.
    fn equality(&self, sieve: &Sieve) -> Option<(smol_str::SmolStr, smol_str::SmolStr)> {
        let (property, text) = sieve.filter.as_ref()?.as_equality()?;
        let is_text =
            self.of.known.iter().any(|(known, kind)| {
                *known == property && *kind == usher_engine::cases::directory::Kind::Text
            });
        (is_text || property == "appId").then(|| (property.into(), text.into()))
    }

    fn is_indexed(&self, sieve: &Sieve) -> bool {
        (sieve.filter.is_none() && sieve.search.is_none()) || self.equality(sieve).is_some()
    }
}
