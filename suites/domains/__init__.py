"""Trust domains: whom servers take for one of theirs."""
