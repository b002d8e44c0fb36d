-- Grain: one row per check of the file itself.
--
-- Sources: the schema _mirror, which every mirror has, however narrowed; and the catalogue that
-- DuckDB keeps of the tables in the file.
--
-- Definition: what the last sync wrote down, compared with what is in the file, and counted
-- where it can make an analysis wrong. is_ok is NULL where a number only informs.
--
-- Traps:
-- * A sync already refuses a file whose rows are not those of the server; these checks are for
--   what came later, and for what the server itself has wrong.
-- * Rows here are those of DuckDB's catalogue, exact in a file that a sync wrote. A file that was
--   changed by hand can be off by rows that were deleted and not yet cleared away.
-- * Derived tables are stale if a table they are made from was read after them.
--
-- Not portable: asks DuckDB for its catalogue and for the time; it says nothing about data that
-- have left the file.
create or replace view mirror_health as

with

last_run as (

    select
        run,
        finished_at,
        is_simulated,
        options,
        n_tables,
        n_rows
    from _mirror.runs
    where run = (select max(run) from _mirror.runs)

),

table_in_file as (

    select
        schema_name,
        table_name,
        estimated_size as n_rows
    from duckdb_tables()
    where database_name = current_database()

),

column_in_file as (

    select
        schema_name,
        table_name,
        column_name
    from duckdb_columns()
    where database_name = current_database()

),

view_in_file as (

    select view_name
    from duckdb_views()
    where database_name = current_database()
        and schema_name = 'main'

    union all

    -- views that are stored
    select table_name as view_name
    from duckdb_tables()
    where database_name = current_database()
        and schema_name = 'main'

),

mirrored_table as (

    select
        recorded.schema_name,
        recorded.table_name,
        recorded.n_rows,
        recorded.run,
        recorded.left_out,
        recorded.notes,
        present.n_rows as n_rows_here
    from _mirror.tables as recorded
    left join table_in_file as present
        on present.schema_name = recorded.schema_name
        and present.table_name = recorded.table_name

),

forced_value as (

    select unnest(map_values(forced_to_null)) as n_values
    from _mirror.tables

),

true_value as (

    select unnest(map_values(read_as_true)) as n_values
    from _mirror.tables

),

derived_table as (

    select
        recorded.table_name,
        recorded.n_rows,
        recorded.run,
        present.n_rows as n_rows_here
    from _mirror.derived as recorded
    left join table_in_file as present
        on present.schema_name = 'derived'
        and present.table_name = recorded.table_name

),

-- when the tables that session_labels, trials and the derived tables read were last read
newest_input as (

    select coalesce(max(run), 0) as run
    from _mirror.tables
    where schema_name || '.' || table_name in (
        'acquisition.session',
        'behavior.session_delay',
        'behavior.settings',
        'behavior.trial_set',
        'behavior.trial_set__trial',
        'reference.lab',
        'subject.death',
        'subject.subject',
        'subject.subject_lab',
        'subject.subject_project',
        'subject.subject_user'
    )

),

numbered_check as (

    select
        'syncs' as check_name,
        count(*) as n,
        count(*) > 0 as is_ok,
        'Syncs that reached their end. Without any the file is not a mirror.' as meaning
    from _mirror.runs

    union all

    select
        'days_since_sync',
        (
            (epoch(date_trunc('second', now())) - epoch(date_trunc('second', finished_at)))
            // 86400
        )::bigint,
        null,
        'Whole days since the last sync ended.'
    from last_run

    union all

    select
        'simulated',
        case when is_simulated then 1 else 0 end,
        null,
        '1 if no animal ever did what the file says, 0 if the data are real.'
    from last_run

    union all

    select
        'narrowed',
        case when options::varchar in ('{}', '{"include_private": true}') then 0 else 1 end,
        null,
        '1 if the last sync was asked for some tables, mice or dates only, 0 if for all.'
    from last_run

    union all

    select
        'tables',
        count(*),
        count(*) = (select coalesce(max(n_tables), 0) from last_run),
        'Mirrored tables, as many as the last sync said.'
    from mirrored_table

    union all

    select
        'rows',
        coalesce(sum(n_rows), 0)::bigint,
        coalesce(sum(n_rows), 0) = (select coalesce(max(n_rows), 0) from last_run),
        'Rows of the mirrored tables, as many as the last sync said.'
    from mirrored_table

    union all

    select
        'tables_missing',
        count(*),
        count(*) = 0,
        'Mirrored tables that are not in the file.'
    from mirrored_table
    where n_rows_here is null

    union all

    select
        'tables_with_other_rows',
        count(*),
        count(*) = 0,
        'Mirrored tables with more or fewer rows in the file than were read.'
    from mirrored_table
    where n_rows_here <> n_rows

    union all

    select
        'tables_empty',
        count(*),
        null,
        'Mirrored tables without a row on the server.'
    from mirrored_table
    where n_rows = 0

    union all

    select
        'columns_missing',
        count(*),
        count(*) = 0,
        'Mirrored columns that are not in the file.'
    from _mirror.columns as recorded
    left join column_in_file as present
        on present.schema_name = recorded.schema_name
        and present.table_name = recorded.table_name
        and present.column_name = recorded.column_name
    where recorded.duckdb_type is not null
        and present.column_name is null

    union all

    select
        'columns_left_out',
        coalesce(sum(array_length(left_out)), 0)::bigint,
        null,
        'Columns that were not copied, such as private ones: _mirror.tables says why.'
    from mirrored_table

    union all

    select
        'left_out',
        count(*),
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
        coalesce(sum(array_length(notes)), 0)::bigint,
        null,
        'What else was noticed while reading: _mirror.tables.notes.'
    from mirrored_table

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
        count(*),
        null,
        'References that were not checked, as the table referred to is not mirrored.'
    from _mirror.foreign_keys
    where violations is null

    union all

    select
        'views',
        count(*),
        count(*) = count(present.view_name),
        'Views that the mirror defined, all of them in the file.'
    from _mirror.views as recorded
    left join view_in_file as present
        on present.view_name = recorded.view_name
    where recorded.skipped is null

    union all

    select
        'views_skipped',
        count(*),
        count(*) = 0,
        'Views left out as a table or column that they need is not there: see _mirror.views.'
    from _mirror.views
    where skipped is not null

    union all

    select
        'derived_tables',
        count(*),
        count(*) > 0 and count(*) = count(n_rows_here),
        'Tables recomputed from trials, all of them in the file. None without the trials.'
    from derived_table

    union all

    select
        'derived_with_other_rows',
        count(*),
        count(*) = 0,
        'Derived tables with more or fewer rows in the file than were computed.'
    from derived_table
    where n_rows_here <> n_rows

    union all

    select
        'derived_stale',
        count(*),
        count(*) = 0,
        'Derived tables older than a table they are made from: the next sync renews them.'
    from derived_table
    where run < (select run from newest_input)

)

select
    check_name,
    n,
    is_ok,
    meaning
from numbered_check;

comment on view mirror_health is
'One row per check of the file itself: a count, whether it is as it should be, what it means.';

comment on column mirror_health.check_name is
'What is counted. The key.';
comment on column mirror_health.n is
'The count, or days for days_since_sync.';
comment on column mirror_health.is_ok is
'True if n is as it should be, false if not. NULL where n only informs.';
comment on column mirror_health.meaning is
'What is counted and where to read on.';
