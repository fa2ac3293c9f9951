"""Priority: whom calls go to as long as it answers."""
