"""`python -m scheduler` is `parknews`."""

from scheduler.cli import main

main()
