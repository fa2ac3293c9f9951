"""Services whose calls stay in their caller's cluster, or go to one that is named."""
