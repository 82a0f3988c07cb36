"""A load of minutes with real processes, after which every row is compared. `make soak` runs it."""
