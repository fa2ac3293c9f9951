"""Runs meshproof as ``python -m meshproof``."""

from meshproof.cli import main

main()
