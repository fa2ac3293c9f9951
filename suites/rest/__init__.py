"""A mesh to which nothing is done, and the calls that go on meanwhile."""
