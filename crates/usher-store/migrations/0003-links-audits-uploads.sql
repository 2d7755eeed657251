-- The newest change of each link: the number is that of the change of the entry that refers.
create table link_changes (
  from_id text not null,
  relation text not null,
  to_id text not null,
  number integer not null,
  is_removed integer not null,
  primary key (from_id, relation, to_id)
) without rowid;
create index link_changes_to on link_changes (to_id);
insert into link_changes (from_id, relation, to_id, number, is_removed)
  select links.from_id, links.relation, links.to_id,
    coalesce((select max(number) from changes where changes.id = links.from_id), 0), 0
  from links;

create table audits (
  number integer primary key autoincrement,
  id text not null unique,
  at integer not null,
  body text not null
);
create index audits_by_time on audits (at);

create table uploads (
  number integer primary key autoincrement,
  job text not null collate nocase,
  id text not null,
  document text not null,
  unique (job, id)
);
create index uploads_by_job on uploads (job, number);
