"""`python -m mayfly` is `mayfly`."""

from mayfly.cli import main

main()
