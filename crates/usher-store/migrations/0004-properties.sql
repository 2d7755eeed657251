-- The newest change of each property of an entry. A row with an empty property is the entry's appearance: whoever knows
-- the directory from before it knows nothing of the entry.
create table property_changes (
  kind text not null,
  id text not null,
  property text not null,
  number integer not null,
  primary key (kind, id, property)
) without rowid;
insert into property_changes (kind, id, property, number) select kind, id, '', number from changes where is_removed = 0;
