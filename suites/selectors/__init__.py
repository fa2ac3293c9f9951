"""Discovery selectors: which namespaces the mesh knows of, in each cluster."""
