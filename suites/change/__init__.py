"""What a change of a running mesh costs: calls that go on meanwhile, and which of them are lost."""
