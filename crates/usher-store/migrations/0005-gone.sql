-- Source objects whose pair was forgotten, or led to another account since: what referred to the account then has lost it.
create table gone (
  job text not null,
  source_type text not null,
  source_anchor text not null,
  primary key (job, source_type, source_anchor)
) without rowid;
