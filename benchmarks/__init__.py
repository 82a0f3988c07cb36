"""What the calculation costs, against other ways to the same result: `python -m benchmarks`."""
