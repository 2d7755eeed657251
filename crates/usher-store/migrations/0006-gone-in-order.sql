-- Who is gone, in order: the oldest are forgotten when there are too many, for most of those who leave never come back.
create table gone_in_order (
  number integer primary key,
  job text not null,
  source_type text not null,
  source_anchor text not null,
  unique (job, source_type, source_anchor)
);
insert into gone_in_order (job, source_type, source_anchor) select job, source_type, source_anchor from gone;
drop table gone;
alter table gone_in_order rename to gone;
