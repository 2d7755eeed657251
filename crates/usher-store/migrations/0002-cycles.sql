-- The newest change of each entry. Numbers only grow, so that a reader never misses one.
create table changes (
  number integer primary key autoincrement,
  kind text not null,
  id text not null,
  is_removed integer not null,
  unique (kind, id)
);
create index changes_by_kind on changes (kind, number);
insert into changes (kind, id, is_removed) select kind, id, 0 from entries order by kind, id;

-- The last cycle in which the source object of a pairing came up.
alter table pairings add column seen integer not null default 0;

create table escrows (
  job text not null,
  source_type text not null,
  source_anchor text not null,
  next_attempt_at integer not null,
  has_failed integer not null,
  is_unsettled integer not null,
  body text not null,
  primary key (job, source_type, source_anchor)
) without rowid;
create index escrows_by_time on escrows (job, next_attempt_at);

create table waiting (
  job text not null,
  source_type text not null,
  source_anchor text not null,
  awaited text not null,
  primary key (job, source_type, source_anchor, awaited)
) without rowid;

create table held (
  job text not null,
  source_type text not null,
  source_anchor text not null,
  action text not null,
  display_name text not null,
  is_staged integer not null,
  primary key (job, source_type, source_anchor)
) without rowid;

create table job_states (
  job text not null primary key collate nocase,
  body text not null
) without rowid;
