"""A run: what was asked for, its session, the lab of the moment, and which worker does what."""
