"""`python -m smallarea` is the command line."""

from smallarea.cli import main

main()
