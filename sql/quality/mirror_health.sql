-- Grain: one row per check of the file itself, and of its data.
--
-- Sources: the schema _mirror, which every mirror has, however narrowed; and the catalogue that
-- DuckDB keeps of the tables in the file; data_health.
--
-- Definition: what the last sync wrote down, compared with what is in the file, and all checks of
-- data_health. is_ok is NULL where a number only informs.
--
-- Traps:
-- * A sync already refuses a file whose rows are not those of the server; these checks are for
--   what came later.
-- * Rows here are those of DuckDB's catalogue, exact in a file that a sync wrote. A file that was
--   changed by hand can be off by rows that were deleted and not yet cleared away.
-- * Derived tables are stale if a table they are made from was read after them.
--
-- Not portable: asks DuckDB for its catalogue, and says nothing about data that have left the
-- file. data_health does.
create or replace view mirror_health as

with

last_run as (

    select
        run,
        finished_at,
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
        present.n_rows as n_rows_here
    from _mirror.tables as recorded
    left join table_in_file as present
        on present.schema_name = recorded.schema_name
        and present.table_name = recorded.table_name

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

    union all

    select
        check_name,
        n,
        is_ok,
        meaning
    from data_health

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
