"""Small solvers, each with one fault that was seen in a published library, beside the same solver without it."""
