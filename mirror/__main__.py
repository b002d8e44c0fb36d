"""`python -m mirror`, for when the command is not on the path."""

from mirror.cli import main

main()
