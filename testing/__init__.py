"""Films with a known truth, and scores of timelines against it: for tests and bench, not in the wheel."""
