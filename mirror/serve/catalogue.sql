-- What MySQL's information_schema shows, as MariaDB 10.11 answers an account that may only read.
-- Runs in an empty in-memory database beside the file, which is attached as `mirror`.
-- `declared` is what the file knows of the server, under the server's names; it is read once,
-- for the file does not change. `catalogue` holds the tables of information_schema over it.

create schema declared;

-- what a type name says about its columns, sizes in bytes; `create` brings mysql_types
create table declared.types as
select name, size, digits, scale, is_text, is_time
from mysql_types;

-- schemas of the file; `create` adds those that nma_ibl names and the file lacks
create table declared.schemas as
select distinct mysql_schema as schema_name
from mirror._mirror.tables;

create table declared.tables as
select
    tables.mysql_schema as schema_name,
    tables.mysql_table as table_name,
    'BASE TABLE' as table_type,
    tables.comment,
    tables.n_rows,
    tables.bytes,
    date_trunc('second', runs.finished_at) as read_at,
    'mirror' as home_database,
    tables.schema_name as home_schema,
    tables.table_name as home_table
from mirror._mirror.tables as tables
left join mirror._mirror.runs as runs on runs.run = tables.run;

-- what is left out of the file does not exist for clients, and leaves no gap in the numbers
create table declared.columns as
select
    tables.schema_name,
    tables.table_name,
    columns.column_name,
    row_number() over (
        partition by tables.schema_name, tables.table_name order by columns.position
    ) as position,
    columns.duckdb_type,
    columns.declared_type,
    columns.is_nullable,
    -- MySQL writes what MariaDB writes as a call
    case
        when upper(columns.column_default) = 'CURRENT_TIMESTAMP' then 'current_timestamp()'
        else columns.column_default
    end as column_default,
    columns.column_key,
    trim(replace(columns.extra, 'DEFAULT_GENERATED', '')) as extra,
    columns.comment
from mirror._mirror.columns as columns
join declared.tables as tables
    on tables.home_schema = columns.schema_name and tables.home_table = columns.table_name
where columns.duckdb_type is not null;

-- keys whose columns are all here; the file keeps the order of the primary key's columns
create table declared.primary_keys as
with visible as (
    select
        schema_name,
        table_name,
        list(column_name order by position) filter (where column_key = 'PRI') as by_position,
        list(column_name) as names
    from declared.columns
    group by schema_name, table_name
),

kept as (
    select schema_name, table_name, constraint_column_names as column_names
    from duckdb_constraints()
    where database_name = 'mirror' and constraint_type = 'PRIMARY KEY'
)

select
    tables.schema_name,
    tables.table_name,
    coalesce(kept.column_names, visible.by_position) as column_names
from declared.tables as tables
join visible on visible.schema_name = tables.schema_name and visible.table_name = tables.table_name
left join kept on kept.schema_name = tables.home_schema and kept.table_name = tables.home_table
where coalesce(kept.column_names, visible.by_position) is not null;

create table declared.foreign_keys as
with visible as (
    select schema_name, table_name, list(column_name) as names
    from declared.columns
    group by schema_name, table_name
)

select
    tables.schema_name,
    tables.table_name,
    keys.constraint_name,
    -- MySQL numbers them as they were declared
    coalesce(try_cast(regexp_extract(keys.constraint_name, '_(\d+)$', 1) as integer), 0) as number,
    keys.column_names,
    keys.referenced_mysql_schema as referenced_schema,
    keys.referenced_mysql_table as referenced_table,
    keys.referenced_columns,
    referenced.names is not null as is_followed
from mirror._mirror.foreign_keys as keys
join declared.tables as tables
    on tables.home_schema = keys.schema_name and tables.home_table = keys.table_name
join visible
    on visible.schema_name = tables.schema_name and visible.table_name = tables.table_name
    and list_has_all(visible.names, keys.column_names)
-- a reference to what is not here would lead clients nowhere; its index remains
left join visible as referenced
    on referenced.schema_name = keys.referenced_mysql_schema
    and referenced.table_name = keys.referenced_mysql_table
    and list_has_all(referenced.names, keys.referenced_columns);

-- DataJoint 2 joins by attributes of one origin, which it reads from a table ~lineage in each
-- schema: where the references of a key's or a reference's column end. Longer ways than this
-- would be circles.
create table declared.lineages as
with recursive pairs as (
    select
        schema_name,
        table_name,
        number,
        unnest(column_names) as column_name,
        referenced_schema,
        referenced_table,
        unnest(referenced_columns) as referenced_column
    from declared.foreign_keys
),

steps as (
    select distinct on (schema_name, table_name, column_name)
        schema_name,
        table_name,
        column_name,
        referenced_schema,
        referenced_table,
        referenced_column
    from pairs
    order by schema_name, table_name, column_name, number
),

attributes as (
    select schema_name, table_name, unnest(column_names) as column_name
    from declared.primary_keys
    union
    select schema_name, table_name, column_name
    from steps
),

ways as (
    select
        schema_name,
        table_name,
        column_name,
        schema_name as at_schema,
        table_name as at_table,
        column_name as at_column,
        0 as n_steps
    from attributes
    union all
    select
        ways.schema_name,
        ways.table_name,
        ways.column_name,
        steps.referenced_schema,
        steps.referenced_table,
        steps.referenced_column,
        ways.n_steps + 1
    from ways
    join steps
        on steps.schema_name = ways.at_schema
        and steps.table_name = ways.at_table
        and steps.column_name = ways.at_column
    where ways.n_steps < 50
)

select
    schema_name,
    table_name,
    column_name as attribute_name,
    arg_max(at_schema || '.' || at_table || '.' || at_column, n_steps) as lineage
from ways
group by schema_name, table_name, column_name
order by schema_name, table_name, column_name;

-- Indexes as far as the file knows them. A foreign key brings one, named after its first column,
-- unless a longer key begins with the same columns. Of others only the first column is known,
-- and whether it is unique by itself.
create table declared.indexes as
with single as (
    select schema_name, table_name, position, column_name, column_key = 'UNI' as is_unique
    from declared.columns
    where column_key in ('UNI', 'MUL')
),

keys as (
    select schema_name, table_name, 0 as number, column_names
    from declared.primary_keys
    union all
    select schema_name, table_name, 0, [column_name] from single where is_unique
    union all
    select schema_name, table_name, number, column_names from declared.foreign_keys
),

from_references as (
    select
        schema_name,
        table_name,
        column_names,
        number,
        row_number() over (
            partition by schema_name, table_name, column_names[1] order by number
        ) as nth
    from declared.foreign_keys as own
    where
        not exists (
            select 1
            from keys
            where
                keys.schema_name = own.schema_name
                and keys.table_name = own.table_name
                and keys.column_names[1:len(own.column_names)] = own.column_names
                and (len(keys.column_names) > len(own.column_names) or keys.number < own.number)
        )
)

select schema_name, table_name, 'PRIMARY' as index_name, true as is_unique, column_names, 0 as place
from declared.primary_keys
union all
select schema_name, table_name, column_name, true, [column_name], position
from single
where is_unique
union all
select
    schema_name,
    table_name,
    column_names[1] || case when nth > 1 then '_' || nth else '' end,
    false,
    column_names,
    10000 + number
from from_references
union all
select schema_name, table_name, column_name, false, [column_name], 20000 + position
from single
where
    not is_unique
    and not exists (
        select 1
        from from_references as known
        where
            known.schema_name = single.schema_name
            and known.table_name = single.table_name
            and known.column_names[1] = single.column_name
    );

-- What a session has set is a variable of its connection to DuckDB, of the same name; `create`
-- brings mysql_variables.
create table declared.variables as
select
    variable_name,
    case
        when variable_name = 'version_comment' then (
            select 'ibl-mirror' || if(is_simulated, ', simulated data', '')
            from mirror._mirror.runs order by run desc limit 1
        )
        else variable_value
    end as variable_value
from mysql_variables;

create schema catalogue;

create view catalogue.schemata as
select
    'def' as "CATALOG_NAME",
    schema_name as "SCHEMA_NAME",
    if(schema_name = 'information_schema', 'utf8mb3', 'utf8mb4') as "DEFAULT_CHARACTER_SET_NAME",
    if(schema_name = 'information_schema', 'utf8mb3_general_ci', 'utf8mb4_general_ci')
        as "DEFAULT_COLLATION_NAME",
    null::varchar as "SQL_PATH",
    '' as "SCHEMA_COMMENT"
from declared.schemas;

create view catalogue.tables as
select
    'def' as "TABLE_CATALOG",
    schema_name as "TABLE_SCHEMA",
    table_name as "TABLE_NAME",
    table_type as "TABLE_TYPE",
    if(table_type = 'BASE TABLE', 'InnoDB', 'MEMORY') as "ENGINE",
    if(table_type = 'BASE TABLE', 10, 11)::ubigint as "VERSION",
    if(table_type = 'BASE TABLE', 'Dynamic', 'Fixed') as "ROW_FORMAT",
    n_rows::ubigint as "TABLE_ROWS",
    if(n_rows > 0, bytes // n_rows, 0)::ubigint as "AVG_ROW_LENGTH",
    bytes::ubigint as "DATA_LENGTH",
    0::ubigint as "MAX_DATA_LENGTH",
    0::ubigint as "INDEX_LENGTH",
    0::ubigint as "DATA_FREE",
    null::ubigint as "AUTO_INCREMENT",
    read_at as "CREATE_TIME",
    null::timestamp as "UPDATE_TIME",
    null::timestamp as "CHECK_TIME",
    if(table_type = 'BASE TABLE', 'utf8mb4_general_ci', 'utf8mb3_general_ci') as "TABLE_COLLATION",
    null::ubigint as "CHECKSUM",
    '' as "CREATE_OPTIONS",
    comment as "TABLE_COMMENT",
    0::ubigint as "MAX_INDEX_LENGTH",
    if(table_type = 'BASE TABLE', 'N', 'Y') as "TEMPORARY"
from (
    from declared.tables
    union all by name
    -- what only DataJoint 2 looks for is there for a session that asks as it does
    select distinct
        schema_name,
        '~lineage' as table_name,
        'BASE TABLE' as table_type,
        '' as comment,
        0 as bytes
    from declared.tables
    where schema_name <> 'information_schema' and getvariable('asks_as_datajoint_2')
);

create view catalogue.columns as
with typed as (
    select
        columns.*,
        types.* exclude (name),
        lower(regexp_extract(declared_type, '^\w+')) as data_type,
        regexp_extract_all(declared_type, '''((?:[^'']|'''')*)''', 1).list_transform(
            lambda member: length(replace(member, '''''', ''''))
        ) as widths,
        regexp_extract(declared_type, '\((\d+)(?:,(\d+))?\)', ['length', 'decimals']) as said
    from declared.columns as columns
    left join declared.types as types
        on types.name = lower(regexp_extract(columns.declared_type, '^\w+'))
),

sized as (
    select
        *,
        try_cast(said.length as bigint) as said_length,
        try_cast(said.decimals as bigint) as said_decimals,
        case
            when data_type = 'enum' then list_max(widths)
            when data_type = 'set' then list_sum(widths) + len(widths) - 1
            when data_type in ('char', 'varchar', 'binary', 'varbinary')
                then coalesce(try_cast(said.length as bigint), 1)
            else size
        end::bigint as characters
    from typed
)

select
    'def' as "TABLE_CATALOG",
    schema_name as "TABLE_SCHEMA",
    table_name as "TABLE_NAME",
    column_name as "COLUMN_NAME",
    position::ubigint as "ORDINAL_POSITION",
    -- MariaDB writes defaults as SQL
    case
        when column_default is null then if(is_nullable, 'NULL', null)
        when digits is not null or data_type in ('bit', 'year') then column_default
        when is_time and column_default ilike 'current_timestamp%' then column_default
        else '''' || replace(replace(column_default, '\', '\\'), '''', '''''') || ''''
    end as "COLUMN_DEFAULT",
    if(is_nullable, 'YES', 'NO') as "IS_NULLABLE",
    data_type as "DATA_TYPE",
    characters::ubigint as "CHARACTER_MAXIMUM_LENGTH",
    if(is_text and size is null, 4 * characters, characters)::ubigint as "CHARACTER_OCTET_LENGTH",
    case
        when data_type in ('decimal', 'bit') then coalesce(said_length, digits)
        when data_type = 'bigint' and declared_type like '%unsigned%' then 20
        when said_decimals is not null then said_length
        else digits
    end::ubigint as "NUMERIC_PRECISION",
    if(digits is not null, coalesce(said_decimals, scale), null)::ubigint as "NUMERIC_SCALE",
    if(is_time, coalesce(said_length, 0), null)::ubigint as "DATETIME_PRECISION",
    if(is_text, 'utf8mb4', null) as "CHARACTER_SET_NAME",
    if(is_text, 'utf8mb4_general_ci', null) as "COLLATION_NAME",
    declared_type as "COLUMN_TYPE",
    column_key as "COLUMN_KEY",
    extra as "EXTRA",
    'select' as "PRIVILEGES",
    comment as "COLUMN_COMMENT",
    'NEVER' as "IS_GENERATED",
    null::varchar as "GENERATION_EXPRESSION"
from sized;

create view catalogue.statistics as
with parts as (
    select *, unnest(column_names) as column_name, generate_subscripts(column_names, 1) as seq
    from declared.indexes
)

select
    'def' as "TABLE_CATALOG",
    parts.schema_name as "TABLE_SCHEMA",
    parts.table_name as "TABLE_NAME",
    if(parts.is_unique, 0, 1)::bigint as "NON_UNIQUE",
    parts.schema_name as "INDEX_SCHEMA",
    parts.index_name as "INDEX_NAME",
    parts.seq::uinteger as "SEQ_IN_INDEX",
    parts.column_name as "COLUMN_NAME",
    'A' as "COLLATION",
    if(parts.is_unique and parts.seq = len(parts.column_names), tables.n_rows, null)::bigint
        as "CARDINALITY",
    null::bigint as "SUB_PART",
    null::varchar as "PACKED",
    if(columns.is_nullable, 'YES', '') as "NULLABLE",
    'BTREE' as "INDEX_TYPE",
    '' as "COMMENT",
    '' as "INDEX_COMMENT",
    'NO' as "IGNORED"
from parts
join declared.tables as tables
    on tables.schema_name = parts.schema_name and tables.table_name = parts.table_name
join declared.columns as columns
    on columns.schema_name = parts.schema_name
    and columns.table_name = parts.table_name
    and columns.column_name = parts.column_name
order by parts.schema_name, parts.table_name, parts.place, parts.seq;

create view catalogue.key_column_usage as
with keys as (
    select
        schema_name,
        table_name,
        index_name as constraint_name,
        column_names,
        null::varchar as referenced_schema,
        null::varchar as referenced_table,
        null::varchar[] as referenced_columns,
        place
    from declared.indexes
    where is_unique
    union all
    select
        schema_name,
        table_name,
        constraint_name,
        column_names,
        referenced_schema,
        referenced_table,
        referenced_columns,
        10000 + number
    from declared.foreign_keys
    where is_followed
),

parts as (
    select *, unnest(column_names) as column_name, generate_subscripts(column_names, 1) as seq
    from keys
)

select
    'def' as "CONSTRAINT_CATALOG",
    schema_name as "CONSTRAINT_SCHEMA",
    constraint_name as "CONSTRAINT_NAME",
    'def' as "TABLE_CATALOG",
    schema_name as "TABLE_SCHEMA",
    table_name as "TABLE_NAME",
    column_name as "COLUMN_NAME",
    seq::bigint as "ORDINAL_POSITION",
    if(referenced_table is null, null, seq)::bigint as "POSITION_IN_UNIQUE_CONSTRAINT",
    referenced_schema as "REFERENCED_TABLE_SCHEMA",
    referenced_table as "REFERENCED_TABLE_NAME",
    referenced_columns[seq] as "REFERENCED_COLUMN_NAME"
from parts
order by schema_name, table_name, place, seq;

create view catalogue.table_constraints as
select
    'def' as "CONSTRAINT_CATALOG",
    schema_name as "CONSTRAINT_SCHEMA",
    index_name as "CONSTRAINT_NAME",
    schema_name as "TABLE_SCHEMA",
    table_name as "TABLE_NAME",
    if(index_name = 'PRIMARY', 'PRIMARY KEY', 'UNIQUE') as "CONSTRAINT_TYPE"
from declared.indexes
where is_unique
union all
select 'def', schema_name, constraint_name, schema_name, table_name, 'FOREIGN KEY'
from declared.foreign_keys
where is_followed;

-- DataJoint declares every reference with these rules
create view catalogue.referential_constraints as
select
    'def' as "CONSTRAINT_CATALOG",
    schema_name as "CONSTRAINT_SCHEMA",
    constraint_name as "CONSTRAINT_NAME",
    'def' as "UNIQUE_CONSTRAINT_CATALOG",
    referenced_schema as "UNIQUE_CONSTRAINT_SCHEMA",
    'PRIMARY' as "UNIQUE_CONSTRAINT_NAME",
    'NONE' as "MATCH_OPTION",
    'CASCADE' as "UPDATE_RULE",
    'RESTRICT' as "DELETE_RULE",
    table_name as "TABLE_NAME",
    referenced_table as "REFERENCED_TABLE_NAME"
from declared.foreign_keys
where is_followed;

create view catalogue.character_sets as
select
    unnest(['binary', 'utf8mb3', 'utf8mb4']) as "CHARACTER_SET_NAME",
    unnest(['binary', 'utf8mb3_general_ci', 'utf8mb4_general_ci']) as "DEFAULT_COLLATE_NAME",
    unnest(['Binary pseudo charset', 'UTF-8 Unicode', 'UTF-8 Unicode']) as "DESCRIPTION",
    unnest([1, 3, 4])::bigint as "MAXLEN";

create view catalogue.collations as
select
    unnest(['binary', 'utf8mb3_general_ci', 'utf8mb4_general_ci', 'utf8mb4_bin'])
        as "COLLATION_NAME",
    unnest(['binary', 'utf8mb3', 'utf8mb4', 'utf8mb4']) as "CHARACTER_SET_NAME",
    unnest([63, 33, 45, 46])::bigint as "ID",
    unnest(['Yes', 'Yes', 'Yes', '']) as "IS_DEFAULT",
    'Yes' as "IS_COMPILED",
    1::bigint as "SORTLEN";

create view catalogue.collation_character_set_applicability as
select
    "COLLATION_NAME",
    "CHARACTER_SET_NAME",
    "COLLATION_NAME" as "FULL_COLLATION_NAME",
    "ID",
    "IS_DEFAULT"
from catalogue.collations;

create view catalogue.engines as
select
    'InnoDB' as "ENGINE",
    'DEFAULT' as "SUPPORT",
    'A DuckDB file, which answers and is not written to' as "COMMENT",
    'YES' as "TRANSACTIONS",
    'NO' as "XA",
    'NO' as "SAVEPOINTS";

create view catalogue.session_variables as
select
    upper(defaults.variable_name) as "VARIABLE_NAME",
    coalesce(own.value, defaults.variable_value) as "VARIABLE_VALUE"
from declared.variables as defaults
left join duckdb_variables() as own on lower(own.name) = defaults.variable_name;

create view catalogue.global_variables as
select upper(variable_name) as "VARIABLE_NAME", variable_value as "VARIABLE_VALUE"
from declared.variables;

create view catalogue.session_status as
select
    unnest(['SSL_CIPHER', 'SSL_VERSION', 'THREADS_CONNECTED', 'UPTIME']) as "VARIABLE_NAME",
    unnest(['', '', '1', '1']) as "VARIABLE_VALUE";

create view catalogue.global_status as
select "VARIABLE_NAME", "VARIABLE_VALUE" from catalogue.session_status;

-- What a mirror has none of; clients ask all the same, and find the columns and no rows.

create view catalogue.user_privileges as
select
    ''::varchar as "GRANTEE",
    ''::varchar as "TABLE_CATALOG",
    ''::varchar as "PRIVILEGE_TYPE",
    ''::varchar as "IS_GRANTABLE"
where false;

create view catalogue.schema_privileges as
select
    ''::varchar as "GRANTEE",
    ''::varchar as "TABLE_CATALOG",
    ''::varchar as "TABLE_SCHEMA",
    ''::varchar as "PRIVILEGE_TYPE",
    ''::varchar as "IS_GRANTABLE"
where false;

create view catalogue.table_privileges as
select
    ''::varchar as "GRANTEE",
    ''::varchar as "TABLE_CATALOG",
    ''::varchar as "TABLE_SCHEMA",
    ''::varchar as "TABLE_NAME",
    ''::varchar as "PRIVILEGE_TYPE",
    ''::varchar as "IS_GRANTABLE"
where false;

create view catalogue.column_privileges as
select
    ''::varchar as "GRANTEE",
    ''::varchar as "TABLE_CATALOG",
    ''::varchar as "TABLE_SCHEMA",
    ''::varchar as "TABLE_NAME",
    ''::varchar as "COLUMN_NAME",
    ''::varchar as "PRIVILEGE_TYPE",
    ''::varchar as "IS_GRANTABLE"
where false;

create view catalogue.check_constraints as
select
    ''::varchar as "CONSTRAINT_CATALOG",
    ''::varchar as "CONSTRAINT_SCHEMA",
    ''::varchar as "TABLE_NAME",
    ''::varchar as "CONSTRAINT_NAME",
    ''::varchar as "LEVEL",
    ''::varchar as "CHECK_CLAUSE"
where false;

create view catalogue.views as
select
    ''::varchar as "TABLE_CATALOG",
    ''::varchar as "TABLE_SCHEMA",
    ''::varchar as "TABLE_NAME",
    ''::varchar as "VIEW_DEFINITION",
    ''::varchar as "CHECK_OPTION",
    ''::varchar as "IS_UPDATABLE",
    ''::varchar as "DEFINER",
    ''::varchar as "SECURITY_TYPE",
    ''::varchar as "CHARACTER_SET_CLIENT",
    ''::varchar as "COLLATION_CONNECTION",
    ''::varchar as "ALGORITHM"
where false;

create view catalogue.triggers as
select
    ''::varchar as "TRIGGER_CATALOG",
    ''::varchar as "TRIGGER_SCHEMA",
    ''::varchar as "TRIGGER_NAME",
    ''::varchar as "EVENT_MANIPULATION",
    ''::varchar as "EVENT_OBJECT_CATALOG",
    ''::varchar as "EVENT_OBJECT_SCHEMA",
    ''::varchar as "EVENT_OBJECT_TABLE",
    0::bigint as "ACTION_ORDER",
    ''::varchar as "ACTION_CONDITION",
    ''::varchar as "ACTION_STATEMENT",
    ''::varchar as "ACTION_ORIENTATION",
    ''::varchar as "ACTION_TIMING",
    ''::varchar as "ACTION_REFERENCE_OLD_TABLE",
    ''::varchar as "ACTION_REFERENCE_NEW_TABLE",
    ''::varchar as "ACTION_REFERENCE_OLD_ROW",
    ''::varchar as "ACTION_REFERENCE_NEW_ROW",
    null::timestamp as "CREATED",
    ''::varchar as "SQL_MODE",
    ''::varchar as "DEFINER",
    ''::varchar as "CHARACTER_SET_CLIENT",
    ''::varchar as "COLLATION_CONNECTION",
    ''::varchar as "DATABASE_COLLATION"
where false;

create view catalogue.routines as
select
    ''::varchar as "SPECIFIC_NAME",
    ''::varchar as "ROUTINE_CATALOG",
    ''::varchar as "ROUTINE_SCHEMA",
    ''::varchar as "ROUTINE_NAME",
    ''::varchar as "ROUTINE_TYPE",
    ''::varchar as "DATA_TYPE",
    0::bigint as "CHARACTER_MAXIMUM_LENGTH",
    0::bigint as "CHARACTER_OCTET_LENGTH",
    0::bigint as "NUMERIC_PRECISION",
    0::bigint as "NUMERIC_SCALE",
    0::ubigint as "DATETIME_PRECISION",
    ''::varchar as "CHARACTER_SET_NAME",
    ''::varchar as "COLLATION_NAME",
    ''::varchar as "DTD_IDENTIFIER",
    ''::varchar as "ROUTINE_BODY",
    ''::varchar as "ROUTINE_DEFINITION",
    ''::varchar as "EXTERNAL_NAME",
    ''::varchar as "EXTERNAL_LANGUAGE",
    ''::varchar as "PARAMETER_STYLE",
    ''::varchar as "IS_DETERMINISTIC",
    ''::varchar as "SQL_DATA_ACCESS",
    ''::varchar as "SQL_PATH",
    ''::varchar as "SECURITY_TYPE",
    null::timestamp as "CREATED",
    null::timestamp as "LAST_ALTERED",
    ''::varchar as "SQL_MODE",
    ''::varchar as "ROUTINE_COMMENT",
    ''::varchar as "DEFINER",
    ''::varchar as "CHARACTER_SET_CLIENT",
    ''::varchar as "COLLATION_CONNECTION",
    ''::varchar as "DATABASE_COLLATION"
where false;

create view catalogue.parameters as
select
    ''::varchar as "SPECIFIC_CATALOG",
    ''::varchar as "SPECIFIC_SCHEMA",
    ''::varchar as "SPECIFIC_NAME",
    0::bigint as "ORDINAL_POSITION",
    ''::varchar as "PARAMETER_MODE",
    ''::varchar as "PARAMETER_NAME",
    ''::varchar as "DATA_TYPE",
    0::bigint as "CHARACTER_MAXIMUM_LENGTH",
    0::bigint as "CHARACTER_OCTET_LENGTH",
    0::bigint as "NUMERIC_PRECISION",
    0::bigint as "NUMERIC_SCALE",
    0::ubigint as "DATETIME_PRECISION",
    ''::varchar as "CHARACTER_SET_NAME",
    ''::varchar as "COLLATION_NAME",
    ''::varchar as "DTD_IDENTIFIER",
    ''::varchar as "ROUTINE_TYPE"
where false;

create view catalogue.events as
select
    ''::varchar as "EVENT_CATALOG",
    ''::varchar as "EVENT_SCHEMA",
    ''::varchar as "EVENT_NAME",
    ''::varchar as "DEFINER",
    ''::varchar as "TIME_ZONE",
    ''::varchar as "EVENT_BODY",
    ''::varchar as "EVENT_DEFINITION",
    ''::varchar as "EVENT_TYPE",
    null::timestamp as "EXECUTE_AT",
    ''::varchar as "INTERVAL_VALUE",
    ''::varchar as "INTERVAL_FIELD",
    ''::varchar as "SQL_MODE",
    null::timestamp as "STARTS",
    null::timestamp as "ENDS",
    ''::varchar as "STATUS",
    ''::varchar as "ON_COMPLETION",
    null::timestamp as "CREATED",
    null::timestamp as "LAST_ALTERED",
    null::timestamp as "LAST_EXECUTED",
    ''::varchar as "EVENT_COMMENT",
    0::bigint as "ORIGINATOR",
    ''::varchar as "CHARACTER_SET_CLIENT",
    ''::varchar as "COLLATION_CONNECTION",
    ''::varchar as "DATABASE_COLLATION"
where false;

create view catalogue.partitions as
select
    ''::varchar as "TABLE_CATALOG",
    ''::varchar as "TABLE_SCHEMA",
    ''::varchar as "TABLE_NAME",
    ''::varchar as "PARTITION_NAME",
    ''::varchar as "SUBPARTITION_NAME",
    0::ubigint as "PARTITION_ORDINAL_POSITION",
    0::ubigint as "SUBPARTITION_ORDINAL_POSITION",
    ''::varchar as "PARTITION_METHOD",
    ''::varchar as "SUBPARTITION_METHOD",
    ''::varchar as "PARTITION_EXPRESSION",
    ''::varchar as "SUBPARTITION_EXPRESSION",
    ''::varchar as "PARTITION_DESCRIPTION",
    0::ubigint as "TABLE_ROWS",
    0::ubigint as "AVG_ROW_LENGTH",
    0::ubigint as "DATA_LENGTH",
    0::ubigint as "MAX_DATA_LENGTH",
    0::ubigint as "INDEX_LENGTH",
    0::ubigint as "DATA_FREE",
    null::timestamp as "CREATE_TIME",
    null::timestamp as "UPDATE_TIME",
    null::timestamp as "CHECK_TIME",
    0::ubigint as "CHECKSUM",
    ''::varchar as "PARTITION_COMMENT",
    ''::varchar as "NODEGROUP",
    ''::varchar as "TABLESPACE_NAME"
where false;

-- information_schema shows itself
insert into declared.schemas values ('information_schema');

insert into declared.tables
select
    'information_schema',
    upper(view_name),
    'SYSTEM VIEW',
    '',
    null,
    0,
    null,
    database_name,
    schema_name,
    view_name
from duckdb_views()
where database_name = current_database() and schema_name = 'catalogue';

insert into declared.columns
select
    'information_schema',
    upper(table_name),
    column_name,
    column_index,
    data_type,
    case data_type
        when 'UBIGINT' then 'bigint(21) unsigned'
        when 'BIGINT' then 'bigint(21)'
        when 'UINTEGER' then 'int(2) unsigned'
        when 'TIMESTAMP' then 'datetime'
        else 'varchar(2048)'
    end,
    true,
    null,
    '',
    '',
    ''
from duckdb_columns()
where database_name = current_database() and schema_name = 'catalogue';

-- what DataJoint asks for of every table is worked out once
create table declared.shown_columns as
from catalogue.columns
order by "TABLE_SCHEMA", "TABLE_NAME", "ORDINAL_POSITION";
create or replace view catalogue.columns as
from declared.shown_columns;

create table declared.shown_statistics as
from catalogue.statistics;
create or replace view catalogue.statistics as
from declared.shown_statistics;

create table declared.shown_key_column_usage as
from catalogue.key_column_usage;
create or replace view catalogue.key_column_usage as
from declared.shown_key_column_usage;
