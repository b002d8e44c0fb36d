"""The columns that no mirror holds unless somebody asks for them, all of them.

Passwords, addresses and account flags of people; where laboratories and their files are;
free text, in which people write names and remarks. `user_name` is a pseudonym and stays.
"""

from fnmatch import fnmatchcase

from mirror.tables import Column, Table

# schema.table.column, as patterns: live servers have columns that no definition names
PRIVATE = (
    "*.*.*password*",
    "*.*.email",
    "*.*.first_name",
    "*.*.last_name",
    "reference.lab_member.last_login",
    "reference.lab_member.date_joined",
    "reference.lab_member.is_*",
    "reference.lab_member.groups",
    "reference.lab_member.user_permissions",
    "*.*.address",
    "*.*.*narrative",
    "subject.subject.subject_description",
    "subject.subject_cull_method.cull_description",
    "action.cull.cull_description",
    "action.other_action.description",
    "*.*.adverse_effects",
    "data.data_repository.globus_*",
    "data.data_repository.*hostname",
    "data.data_repository.repo_url",
    "data.file_record.relative_path",
)


def is_private(table: Table, column: Column) -> bool:
    """Whether a column stays behind by default."""
    return is_private_name(f"{table.schema}.{table.name}.{column.name}")


def is_private_name(name: str) -> bool:
    """The same of a column by its schema, table and name, with points between."""
    return any(fnmatchcase(name.lower(), pattern) for pattern in PRIVATE)
