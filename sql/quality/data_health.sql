-- Grain: one row per check of the data.
--
-- Sources: the schema _mirror, which every mirror has, however narrowed.
--
-- Definition: what the last sync wrote down, counted where it can make an analysis wrong. is_ok is
-- NULL where a number only informs. What there is to ask of the file itself is in mirror_health.
--
-- Traps:
-- * A sync already refuses a file whose rows are not those of the server; these checks are for
--   what the server itself has wrong, and for what was not copied.
-- * Where several exports were put together, each has its own row of a table: what is counted
--   here is counted once for all of them, but for values and rows.
create or replace view data_health as

with

last_run as (

    select
        is_simulated,
        options
    from _mirror.runs
    where run = (select max(run) from _mirror.runs)

),

forced_value as (

    select unnest(map_values(forced_to_null)) as n_values
    from _mirror.tables

),

true_value as (

    select unnest(map_values(read_as_true)) as n_values
    from _mirror.tables

),

left_out_column as (

    select distinct
        schema_name,
        table_name,
        left_out
    from (
        select
            schema_name,
            table_name,
            unnest(left_out) as left_out
        from _mirror.tables
    ) as each_column

),

note as (

    select distinct
        schema_name,
        table_name,
        note
    from (
        select
            schema_name,
            table_name,
            unnest(notes) as note
        from _mirror.tables
    ) as each_note

),

table_rows as (

    select
        schema_name,
        table_name,
        sum(n_rows)::bigint as n_rows
    from _mirror.tables
    group by schema_name, table_name

),

numbered_check as (

    select
        'simulated' as check_name,
        max(case when is_simulated then 1 else 0 end)::bigint as n,
        null::boolean as is_ok,
        '1 if no animal ever did what the data say, 0 if they are real.' as meaning
    from last_run
    having count(*) > 0

    union all

    select
        'narrowed',
        max(
            case when options::varchar in ('{}', '{"include_private": true}') then 0 else 1 end
        )::bigint,
        null,
        '1 if the last sync was asked for some tables, mice or dates only, 0 if for all.'
    from last_run
    having count(*) > 0

    union all

    select
        'tables_empty',
        count(*),
        null,
        'Mirrored tables without a row on the server.'
    from table_rows
    where n_rows = 0

    union all

    select
        'columns_left_out',
        count(*),
        null,
        'Columns that were not copied, such as private ones: _mirror.tables says why.'
    from left_out_column

    union all

    select
        'left_out',
        count(distinct what),
        null,
        'Schemas and tables of the server that were not copied: _mirror.left_out says why.'
    from _mirror.left_out

    union all

    select
        'values_forced_to_null',
        coalesce(sum(n_values), 0)::bigint,
        coalesce(sum(n_values), 0) = 0,
        'Values that became NULL, such as zero dates: see _mirror.tables.forced_to_null.'
    from forced_value

    union all

    select
        'values_read_as_true',
        coalesce(sum(n_values), 0)::bigint,
        coalesce(sum(n_values), 0) = 0,
        'Boolean values other than 0 and 1: _mirror.tables.read_as_true has the columns.'
    from true_value

    union all

    select
        'notes',
        count(*),
        null,
        'What else was noticed while reading: _mirror.tables.notes.'
    from note

    union all

    select
        'orphans',
        coalesce(sum(violations), 0)::bigint,
        coalesce(sum(violations), 0) = 0,
        'Rows that refer to a row that is not there, as on the server: _mirror.foreign_keys.'
    from _mirror.foreign_keys

    union all

    select
        'references_unchecked',
        count(distinct schema_name || '.' || table_name || '.' || constraint_name),
        null,
        'References that were not checked, as the table referred to is not mirrored.'
    from _mirror.foreign_keys
    where violations is null

    union all

    select
        'views_skipped',
        count(distinct view_name),
        count(distinct view_name) = 0,
        'Views left out as a table or column that they need is not there: see _mirror.views.'
    from _mirror.views
    where skipped is not null

)

select
    check_name,
    n,
    is_ok,
    meaning
from numbered_check;

comment on view data_health is
'One row per check of the data: a count, whether it is as it should be, what it means.';

comment on column data_health.check_name is
'What is counted. The key.';
comment on column data_health.n is
'The count.';
comment on column data_health.is_ok is
'True if n is as it should be, false if not. NULL where n only informs.';
comment on column data_health.meaning is
'What is counted and where to read on.';
