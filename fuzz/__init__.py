"""Fuzzing: one harness for each parser of bytes that somebody else may have made.

``make fuzz SECONDS=60`` runs them all; ``python -m fuzz --help`` says more.
"""
