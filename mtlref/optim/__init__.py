"""Solvers: algorithms yield iterates, one loop (run.py) decides when to stop."""
