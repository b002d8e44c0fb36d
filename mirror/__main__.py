"""`python -m mirror`, for when the command is not on the path."""

import sys

# Python has put the working directory before all libraries; a file in it may be called like one
if not sys.flags.safe_path:
    del sys.path[0]

from mirror.cli import main

main()
