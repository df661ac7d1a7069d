"""The solvers of the races, a file each: this library, compiled peers, plain baselines."""
