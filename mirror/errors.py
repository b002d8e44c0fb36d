"""What can go wrong, each kind with the exit code the command line answers with.

A message is one sentence: what happened, where, and what to do next.
"""


class MirrorError(Exception):
    """The work failed; whatever file was there before is untouched."""

    exit_code = 1


class UsageError(MirrorError):
    """The call or the configuration is wrong; nothing was started."""

    exit_code = 2


class SourceError(MirrorError):
    """The source cannot be reached, or refuses the login."""

    exit_code = 3
