-- How the file came to be: one run per sync, and for every table what the source declared
-- and what became of its rows. Written by `mirror sync`, read by `mirror status`,
-- `mirror describe` and anyone who doubts a number. Without keys: each index would take a
-- quarter of a megabyte.

create schema if not exists _mirror;

create table if not exists _mirror.runs (
    run integer not null,
    started_at timestamp not null,
    finished_at timestamp not null,
    seconds double not null,
    source varchar not null,
    address varchar not null,
    is_simulated boolean not null,
    options json not null,
    versions json not null,
    n_tables integer not null,
    n_rows bigint not null,
    is_whole boolean
);

-- of mirrors that an earlier version made
alter table _mirror.runs add column if not exists is_whole boolean;
update _mirror.runs set is_whole = source <> 'one' and json_extract(options, '$.since') is null
where is_whole is null;

comment on table _mirror.runs is 'One row per sync that reached its end';
comment on column _mirror.runs.run is 'Number of the sync, from 1';
comment on column _mirror.runs.started_at is 'UTC';
comment on column _mirror.runs.finished_at is 'UTC';
comment on column _mirror.runs.seconds is 'Duration (s)';
comment on column _mirror.runs.source is 'Kind of source: datajoint, demo';
comment on column _mirror.runs.address is 'Host and port of the server';
comment on column _mirror.runs.is_simulated is 'True when no animal ever did what the file says';
comment on column _mirror.runs.options is 'What narrowed or widened the sync';
comment on column _mirror.runs.versions is 'Of the mirror, DuckDB, DataJoint and the server';
comment on column _mirror.runs.n_tables is 'Tables in the file';
comment on column _mirror.runs.n_rows is 'Rows in the file';
comment on column _mirror.runs.is_whole is
'False where earlier sessions of the mice may be missing: no training status is certain then';

create table if not exists _mirror.tables (
    schema_name varchar not null,
    table_name varchar not null,
    datajoint_name varchar not null,
    mysql_schema varchar not null,
    mysql_table varchar not null,
    tier varchar not null,
    comment varchar not null,
    n_rows bigint not null,
    seconds double not null,
    bytes bigint not null,
    run integer not null,
    left_out varchar[] not null,
    forced_to_null map(varchar, bigint) not null,
    read_as_true map(varchar, bigint) not null,
    notes varchar[] not null,
    definition varchar not null,
    change_token varchar,
    checksum varchar,
    read_at timestamp,
    parts json
);

-- of mirrors that an earlier version made
alter table _mirror.tables add column if not exists read_at timestamp;
alter table _mirror.tables add column if not exists parts json;

comment on table _mirror.tables is 'One row per mirrored table';
comment on column _mirror.tables.schema_name is 'Schema in this file';
comment on column _mirror.tables.table_name is 'Name in this file';
comment on column _mirror.tables.datajoint_name is 'Name in Python, under nma_ibl';
comment on column _mirror.tables.mysql_schema is 'Schema on the server';
comment on column _mirror.tables.mysql_table is 'Name on the server, with the signs of its tier';
comment on column _mirror.tables.tier is 'Manual, Lookup, Imported, Computed or Part';
comment on column _mirror.tables.comment is 'Comment on the server';
comment on column _mirror.tables.n_rows is 'Rows here, equal to the rows there when it was read';
comment on column _mirror.tables.seconds is 'Time it took to read and check the table (s)';
comment on column _mirror.tables.bytes is 'Size of the rows that arrived when it was last read (bytes)';
comment on column _mirror.tables.run is 'The sync that last read rows of the table';
comment on column _mirror.tables.left_out is 'Columns that were not copied, with the reason';
comment on column _mirror.tables.forced_to_null is 'Values per column that became NULL';
comment on column _mirror.tables.read_as_true is 'Values per boolean column other than 0 and 1';
comment on column _mirror.tables.notes is 'What else a reader should know';
comment on column _mirror.tables.definition is 'Digest of heading, source and selection';
comment on column _mirror.tables.change_token is 'When the server last saw a change';
comment on column _mirror.tables.checksum is 'Computed by the server over all rows';
comment on column _mirror.tables.read_at is 'When its rows were last read (UTC); NULL if long ago';
comment on column _mirror.tables.parts is 'Parts that change on their own, such as files of a mouse';

create table if not exists _mirror.columns (
    schema_name varchar not null,
    table_name varchar not null,
    column_name varchar not null,
    position integer not null,
    duckdb_type varchar,
    declared_type varchar not null,
    is_nullable boolean not null,
    column_default varchar,
    column_key varchar not null,
    extra varchar not null,
    comment varchar not null
);

comment on table _mirror.columns is 'One row per column of the mirrored tables, as declared';
comment on column _mirror.columns.schema_name is 'Schema in this file';
comment on column _mirror.columns.table_name is 'Name of the table in this file';
comment on column _mirror.columns.column_name is 'Name, the same here and there';
comment on column _mirror.columns.position is 'Place in the table on the server, from 1';
comment on column _mirror.columns.duckdb_type is 'Type here; NULL when the column is left out';
comment on column _mirror.columns.declared_type is 'Type on the server';
comment on column _mirror.columns.is_nullable is 'Whether the server allows NULL';
comment on column _mirror.columns.column_default is 'Default on the server';
comment on column _mirror.columns.column_key is 'PRI, UNI, MUL or empty, as the server says';
comment on column _mirror.columns.extra is 'Such as auto_increment, as the server says';
comment on column _mirror.columns.comment is 'Comment on the server, with DataJoint''s type';

create table if not exists _mirror.foreign_keys (
    schema_name varchar not null,
    table_name varchar not null,
    constraint_name varchar not null,
    column_names varchar[] not null,
    referenced_mysql_schema varchar not null,
    referenced_mysql_table varchar not null,
    referenced_schema varchar,
    referenced_table varchar,
    referenced_columns varchar[] not null,
    violations bigint
);

comment on table _mirror.foreign_keys is 'One row per reference between mirrored tables';
comment on column _mirror.foreign_keys.schema_name is 'Schema in this file';
comment on column _mirror.foreign_keys.table_name is 'The table that refers';
comment on column _mirror.foreign_keys.constraint_name is 'Name on the server';
comment on column _mirror.foreign_keys.column_names is 'Columns that refer';
comment on column _mirror.foreign_keys.referenced_mysql_schema is 'Schema referred to, there';
comment on column _mirror.foreign_keys.referenced_mysql_table is 'Table referred to, there';
comment on column _mirror.foreign_keys.referenced_schema is 'Schema here; NULL if not mirrored';
comment on column _mirror.foreign_keys.referenced_table is 'Table here; NULL if not mirrored';
comment on column _mirror.foreign_keys.referenced_columns is 'Columns referred to, in order';
comment on column _mirror.foreign_keys.violations is 'Rows that refer to none; NULL if unchecked';

create table if not exists _mirror.blobs (
    schema_name varchar not null,
    table_name varchar not null,
    column_name varchar not null,
    row bigint not null,
    original blob not null
);

comment on table _mirror.blobs is 'DataJoint''s blobs that their column''s type here does not restore';
comment on column _mirror.blobs.schema_name is 'Schema in this file';
comment on column _mirror.blobs.table_name is 'Name of the table in this file';
comment on column _mirror.blobs.column_name is 'Name of the column';
comment on column _mirror.blobs.row is 'Place of the row in the table, from 0: DuckDB''s rowid';
comment on column _mirror.blobs.original is 'The bytes that the server held';

create table if not exists _mirror.left_out (
    what varchar not null,
    why varchar not null
);

comment on table _mirror.left_out is 'Schemas and tables that the last sync did not bring';
comment on column _mirror.left_out.what is 'Schema or table';
comment on column _mirror.left_out.why is 'The reason, and whether the file keeps what it had';

create table if not exists _mirror.views (
    view_name varchar not null,
    file varchar not null,
    skipped varchar,
    is_stored boolean,
    inputs varchar
);

alter table _mirror.views add column if not exists is_stored boolean;
alter table _mirror.views add column if not exists inputs varchar;

comment on table _mirror.views is 'One row per view that the mirror defines';
comment on column _mirror.views.view_name is 'Name in the schema main';
comment on column _mirror.views.file is 'The file under sql/ that defines it';
comment on column _mirror.views.skipped is 'Why the view is not here; NULL when it is';
comment on column _mirror.views.is_stored is 'Whether its rows are kept as a table of that name';
comment on column _mirror.views.inputs is 'Digest of the rows and the SQL that it is made of';

create table if not exists _mirror.derived (
    table_name varchar not null,
    n_rows bigint not null,
    run integer not null,
    inputs varchar not null
);

comment on table _mirror.derived is 'One row per table that was recomputed here from trials';
comment on column _mirror.derived.table_name is 'Name in the schema derived';
comment on column _mirror.derived.n_rows is 'Rows';
comment on column _mirror.derived.run is 'The sync that computed it';
comment on column _mirror.derived.inputs is 'Digest of the rows and the code it was made with';

create table if not exists _mirror.cohort_mice (
    cohort varchar not null,
    subject_uuid uuid not null
);

comment on table _mirror.cohort_mice is 'One row per cohort of one''s own and mouse listed in it';
comment on column _mirror.cohort_mice.cohort is 'The name that ''mirror cohort'' gave it';
comment on column _mirror.cohort_mice.subject_uuid is 'The mouse, here or not: syncs keep the row';
