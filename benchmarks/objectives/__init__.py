"""Primal and dual of the races' problems, recomputed from W for every solver; no code is shared with any of them."""
