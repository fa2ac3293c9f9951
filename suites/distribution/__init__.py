"""Every version answers, from every cluster."""
