//! What a commit writes, as rows. They are made by the caller: the writer has enough to do.

use rusqlite::{Transaction, params};
use smol_str::SmolStr;
use usher_core::ports::{Clear, Commit, EscrowChange, HeldChange, PairingChange, Seen, SubjectKey, Waiting};
use usher_core::{Anchor, JobId, ProvisioningEvent};

use crate::connection::WorkError;

const PUT_PAIRING: &str =
    "insert into pairings (job, source_type, source_anchor, target_type, target_anchor, body, seen)
    values (?1, ?2, ?3, ?4, ?5, ?6, coalesce(?7, 0))
    on conflict (job, source_type, source_anchor) do update set
    target_type = excluded.target_type, target_anchor = excluded.target_anchor, body = excluded.body,
    seen = coalesce(?7, seen)";
const FORGET_PAIRING: &str =
    "delete from pairings where job = ?1 and source_type = ?2 and source_anchor = ?3";
/// Remembers a pair that is with another account than this one.
const PUT_GONE: &str = "insert or ignore into gone (job, source_type, source_anchor)
    select job, source_type, source_anchor from pairings
    where job = ?1 and source_type = ?2 and source_anchor = ?3 and target_anchor <> ?4";
/// So many of those who are gone are remembered: the newest.
const MOST_GONE: i64 = 100_000;
const BOUND_GONE: &str = "delete from gone where number <= (select max(number) from gone) - ?1";
const PUT_EVENT: &str =
    "insert into events (id, job, cycle, change, ended_at, body) values (?1, ?2, ?3, ?4, ?5, ?6)";
const CLEAR_PAIRINGS: &str = "delete from pairings where job = ?1";
const CLEAR_WAITING: &str = "delete from waiting where job = ?1";
const CLEAR_HELD: &str = "delete from held where job = ?1";
const CLEAR_GONE: &str = "delete from gone where job = ?1";
const CLEAR_RETURNED: &str = "delete from gone where job = ?1 and exists (select 1 from pairings
    where pairings.job = gone.job and pairings.source_type = gone.source_type
    and pairings.source_anchor = gone.source_anchor)";
const CLEAR_ESCROWS: &str = "delete from escrows where job = ?1 and is_unsettled = 0";
const PUT_SEEN: &str =
    "update pairings set seen = ?4 where job = ?1 and source_type = ?2 and source_anchor = ?3";
const PUT_ESCROW: &str = "insert into escrows
    (job, source_type, source_anchor, next_attempt_at, has_failed, is_unsettled, body)
    values (?1, ?2, ?3, ?4, ?5, ?6, ?7)
    on conflict (job, source_type, source_anchor) do update set next_attempt_at = excluded.next_attempt_at,
    has_failed = excluded.has_failed, is_unsettled = excluded.is_unsettled, body = excluded.body";
const REMOVE_ESCROW: &str = "delete from escrows where job = ?1 and source_type = ?2 and source_anchor = ?3";
const REMOVE_WAITING: &str = "delete from waiting where job = ?1 and source_type = ?2 and source_anchor = ?3";
const PUT_WAITING: &str =
    "insert or ignore into waiting (job, source_type, source_anchor, awaited) values (?1, ?2, ?3, ?4)";
const PUT_HELD: &str = "insert or replace into held
    (job, source_type, source_anchor, action, display_name, is_staged) values (?1, ?2, ?3, ?4, ?5, ?6)";
const REMOVE_HELD: &str = "delete from held where job = ?1 and source_type = ?2 and source_anchor = ?3";
const PUT_STATE: &str =
    "insert into job_states (job, body) values (?1, ?2) on conflict (job) do update set body = excluded.body";
const REMOVE_STATE: &str = "delete from job_states where job = ?1";

/// All of a commit.
pub struct Rows {
    clear: Vec<(JobId, Clear)>,
    pairings: Vec<PairingRow>,
    seen: Vec<Seen>,
    escrows: Vec<EscrowRow>,
    waiting: Vec<Waiting>,
    held: Vec<HeldRow>,
    events: Vec<EventRow>,
    state: Option<(JobId, String)>,
}

enum PairingRow {
    Put { subject: SubjectKey, target_type: SmolStr, target_anchor: Anchor, body: String, seen: Option<i64> },
    Forget(SubjectKey),
}

enum EscrowRow {
    Put { subject: SubjectKey, next_attempt_at: i64, has_failed: bool, is_unsettled: bool, body: String },
    Remove(SubjectKey),
}

enum HeldRow {
    Put { subject: SubjectKey, action: String, display_name: String, is_staged: bool },
    Remove(SubjectKey),
}

struct EventRow {
    id: SmolStr,
    job: JobId,
    cycle: SmolStr,
    change: SmolStr,
    ended_at: i64,
    body: Vec<u8>,
}

impl EventRow {
    fn of(event: &ProvisioningEvent) -> Result<Self, serde_json::Error> {
        Ok(Self {
            id: event.id.clone(),
            job: event.job.clone(),
            cycle: event.cycle.clone(),
            change: event.change.clone(),
            ended_at: event.ended_at.as_microsecond(),
            body: lz4_flex::compress_prepend_size(&serde_json::to_vec(event)?),
        })
    }
}

impl Rows {
    /// Those of a commit.
    pub fn of(commit: &Commit) -> Result<Self, serde_json::Error> {
        let mut seen = commit.seen.clone();
        // A pair that is written anyway is marked on the way.
        let mut seen_of = |subject: &SubjectKey| {
            let place = seen.iter().position(|one| one.subject == *subject)?;
            Some(number(seen.swap_remove(place).cycle))
        };
        let pairings = commit.pairings.iter().map(|change| {
            Ok(match change {
                PairingChange::Put(pairing) => {
                    let subject = SubjectKey::of(pairing);
                    let seen = seen_of(&subject);
                    let body = serde_json::to_string(pairing)?;
                    let (target_type, target_anchor) =
                        (pairing.target_type.clone(), pairing.target_anchor.clone());
                    PairingRow::Put { subject, target_type, target_anchor, body, seen }
                }
                PairingChange::Forget(subject) => PairingRow::Forget(subject.clone()),
            })
        });
        let pairings = pairings.collect::<Result<_, serde_json::Error>>()?;
        let escrows = commit.escrows.iter().map(|change| {
            Ok(match change {
                EscrowChange::Put(escrow) => EscrowRow::Put {
                    subject: SubjectKey::of(&**escrow),
                    next_attempt_at: escrow.next_attempt_at.as_microsecond(),
                    has_failed: escrow.attempts > 0,
                    is_unsettled: escrow.is_open(),
                    body: serde_json::to_string(escrow)?,
                },
                EscrowChange::Remove(subject) => EscrowRow::Remove(subject.clone()),
            })
        });
        let held = commit.held.iter().map(|change| {
            Ok(match change {
                HeldChange::Put(held) => HeldRow::Put {
                    subject: held.subject.clone(),
                    action: serde_json::to_string(&held.action)?,
                    display_name: held.display_name.clone(),
                    is_staged: held.is_staged,
                },
                HeldChange::Remove(subject) => HeldRow::Remove(subject.clone()),
            })
        });
        let state =
            commit.state.as_ref().map(|(job, state)| Ok((job.clone(), serde_json::to_string(state)?)));
        Ok(Self {
            clear: commit.clear.clone(),
            pairings,
            seen,
            escrows: escrows.collect::<Result<_, serde_json::Error>>()?,
            waiting: commit.waiting.clone(),
            held: held.collect::<Result<_, serde_json::Error>>()?,
            events: commit.events.iter().map(|event| EventRow::of(event)).collect::<Result<_, _>>()?,
            state: state.transpose()?,
        })
    }

    /// Writes all of them.
    pub fn write(&self, transaction: &Transaction<'_>) -> Result<(), WorkError> {
        for (job, what) in &self.clear {
            let statements: &[&str] = match what {
                Clear::Pairings => &[CLEAR_PAIRINGS, CLEAR_WAITING, CLEAR_HELD, CLEAR_GONE],
                Clear::Returned => &[CLEAR_RETURNED],
                Clear::Escrows => &[CLEAR_ESCROWS],
                Clear::Held => &[CLEAR_HELD],
            };
            for statement in statements {
                transaction.prepare_cached(statement)?.execute(params![job.as_str()])?;
            }
        }
        for row in &self.pairings {
            write_pairing(transaction, row)?;
        }
        for seen in &self.seen {
            let (job, source_type, anchor) = key(&seen.subject);
            let cycle = number(seen.cycle);
            transaction.prepare_cached(PUT_SEEN)?.execute(params![job, source_type, anchor, cycle])?;
        }
        for row in &self.escrows {
            match row {
                EscrowRow::Put { subject, next_attempt_at, has_failed, is_unsettled, body } => {
                    let (job, source_type, anchor) = key(subject);
                    transaction.prepare_cached(PUT_ESCROW)?.execute(params![
                        job,
                        source_type,
                        anchor,
                        next_attempt_at,
                        has_failed,
                        is_unsettled,
                        body
                    ])?;
                }
                EscrowRow::Remove(subject) => {
                    let (job, source_type, anchor) = key(subject);
                    transaction.prepare_cached(REMOVE_ESCROW)?.execute(params![job, source_type, anchor])?;
                }
            }
        }
        for waiting in &self.waiting {
            let (job, source_type, anchor) = key(&waiting.subject);
            transaction.prepare_cached(REMOVE_WAITING)?.execute(params![job, source_type, anchor])?;
            let mut put = transaction.prepare_cached(PUT_WAITING)?;
            for awaited in &waiting.awaited {
                put.execute(params![job, source_type, anchor, awaited.as_str()])?;
            }
        }
        for row in &self.held {
            match row {
                HeldRow::Put { subject, action, display_name, is_staged } => {
                    let (job, source_type, anchor) = key(subject);
                    transaction.prepare_cached(PUT_HELD)?.execute(params![
                        job,
                        source_type,
                        anchor,
                        action,
                        display_name,
                        is_staged
                    ])?;
                }
                HeldRow::Remove(subject) => {
                    let (job, source_type, anchor) = key(subject);
                    transaction.prepare_cached(REMOVE_HELD)?.execute(params![job, source_type, anchor])?;
                }
            }
        }
        if let Some((job, body)) = &self.state {
            transaction.prepare_cached(PUT_STATE)?.execute(params![job.as_str(), body])?;
        }
        for event in &self.events {
            transaction.prepare_cached(PUT_EVENT)?.execute(params![
                event.id.as_str(),
                event.job.as_str(),
                event.cycle.as_str(),
                event.change.as_str(),
                event.ended_at,
                event.body
            ])?;
        }
        Ok(())
    }
}

fn write_pairing(transaction: &Transaction<'_>, row: &PairingRow) -> Result<(), WorkError> {
    // No account has an empty anchor.
    let (subject, stays_with) = match row {
        PairingRow::Put { subject, target_anchor, .. } => (subject, target_anchor.as_str()),
        PairingRow::Forget(subject) => (subject, ""),
    };
    let (job, source_type, anchor) = key(subject);
    let gone =
        transaction.prepare_cached(PUT_GONE)?.execute(params![job, source_type, anchor, stays_with])?;
    if gone > 0 {
        transaction.prepare_cached(BOUND_GONE)?.execute(params![MOST_GONE])?;
    }
    match row {
        PairingRow::Put { target_type, target_anchor, body, seen, .. } => {
            transaction.prepare_cached(PUT_PAIRING)?.execute(params![
                job,
                source_type,
                anchor,
                target_type.as_str(),
                target_anchor.as_str(),
                body,
                seen
            ])?;
        }
        PairingRow::Forget(_) => {
            transaction.prepare_cached(FORGET_PAIRING)?.execute(params![job, source_type, anchor])?;
        }
    }
    Ok(())
}

/// Forgets everything of a job that is removed.
pub fn remove_job(transaction: &Transaction<'_>, job: &str) -> Result<(), WorkError> {
    const CLEAR_ALL_ESCROWS: &str = "delete from escrows where job = ?1";
    for statement in [CLEAR_PAIRINGS, CLEAR_WAITING, CLEAR_HELD, CLEAR_GONE, CLEAR_ALL_ESCROWS, REMOVE_STATE]
    {
        transaction.prepare_cached(statement)?.execute(params![job])?;
    }
    Ok(())
}

fn number(cycle: u64) -> i64 {
    i64::try_from(cycle).unwrap_or(i64::MAX)
}

pub fn key(subject: &SubjectKey) -> (&str, &str, &str) {
    (subject.job.as_str(), subject.source_type.as_str(), subject.source_anchor.as_str())
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use rusqlite::Connection;
    use usher_core::Pairing;

    use super::*;
    use crate::migrate::migrate;

    #[test]
    fn the_oldest_of_those_who_are_gone_are_forgotten() {
        let mut connection = Connection::open_in_memory().expect("it opens");
        migrate(&mut connection).expect("it is up to date");
        let fill = format!(
            "with recursive n (n) as (select 1 union all select n + 1 from n where n < {MOST_GONE})
             insert into gone (job, source_type, source_anchor) select 'old', 'User', 'u-' || n from n"
        );
        connection.execute_batch(&fill).expect("it is filled");
        let count = |connection: &Connection| -> i64 {
            connection.query_row("select count(*) from gone", [], |row| row.get(0)).expect("it counts")
        };
        let subject = SubjectKey {
            job: JobId::new("new"),
            source_type: "User".into(),
            source_anchor: Anchor::new("s"),
        };
        let put = PairingChange::Put(Pairing {
            job: subject.job.clone(),
            source_type: subject.source_type.clone(),
            source_anchor: subject.source_anchor.clone(),
            target_type: "User".into(),
            target_anchor: Anchor::new("t"),
            is_managed: true,
            display_name: String::new(),
            confirmed_at: Timestamp::UNIX_EPOCH,
            trace: Default::default(),
        });
        for change in [put, PairingChange::Forget(subject)] {
            let transaction = connection.transaction().expect("it begins");
            let all = Commit { pairings: vec![change], ..Commit::default() };
            let rows = Rows::of(&all).expect("it has a form");
            assert!(rows.write(&transaction).is_ok());
            transaction.commit().expect("it is written");
        }
        assert_eq!(count(&connection), MOST_GONE);
        let oldest: String = connection
            .query_row("select source_anchor from gone order by number limit 1", [], |row| row.get(0))
            .expect("there is one");
        assert_eq!(oldest, "u-2");
    }
}
