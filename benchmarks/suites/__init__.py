"""The suites: which problems, which solvers."""
