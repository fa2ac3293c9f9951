"""Which clusters reach each other, and where: proven on bare clusters, by probes and counters."""
