"""The embedded PostgreSQL and the processes of `make run`; importing it starts nothing."""
