"""Speed, measured: the same problem to the same certified gap, here and elsewhere, in one run."""
