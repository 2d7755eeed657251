create table entries (
  kind text not null,
  id text not null,
  body text not null,
  created_at integer not null,
  deleted_at integer,
  primary key (kind, id)
) without rowid;

create table entry_keys (
  kind text not null,
  property text not null,
  value text not null,
  id text not null,
  primary key (kind, property, value)
) without rowid;
create index entry_keys_by_id on entry_keys (kind, id);

-- Every text property in small letters: entries are found by any of them.
create table entry_texts (
  kind text not null,
  property text not null,
  value text not null,
  id text not null,
  primary key (kind, property, value, id)
) without rowid;
create index entry_texts_by_id on entry_texts (kind, id);

create table links (
  from_id text not null,
  relation text not null,
  to_id text not null,
  primary key (from_id, relation, to_id)
) without rowid;
create index links_by_target on links (to_id, relation, from_id);

create table assignments (
  number integer primary key autoincrement,
  id text not null unique,
  principal_id text not null,
  resource_id text not null,
  app_role_id text not null,
  body text not null,
  unique (principal_id, resource_id, app_role_id)
);
create index assignments_by_resource on assignments (resource_id);

create table jobs (
  number integer primary key autoincrement,
  id text not null unique collate nocase,
  service_principal text not null,
  body text not null
);
create index jobs_by_service_principal on jobs (service_principal);

create table job_schemas (
  job text not null primary key collate nocase,
  document text not null
) without rowid;

create table secrets (
  service_principal text not null,
  place integer not null,
  name text not null,
  value text not null,
  primary key (service_principal, place)
) without rowid;

create table pairings (
  job text not null,
  source_type text not null,
  source_anchor text not null,
  target_type text not null,
  target_anchor text not null,
  body text not null,
  primary key (job, source_type, source_anchor)
) without rowid;
create index pairings_by_target on pairings (job, target_type, target_anchor);

create table events (
  number integer primary key autoincrement,
  id text not null unique,
  job text not null,
  cycle text not null,
  change text not null,
  ended_at integer not null,
  body text not null
);
create index events_by_time on events (ended_at);
create index events_by_job on events (job, ended_at);
create index events_by_cycle on events (cycle, ended_at);
create index events_by_change on events (change, ended_at);

create table settings (
  name text not null primary key,
  value text not null
) without rowid;
