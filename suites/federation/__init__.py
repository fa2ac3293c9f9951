"""Federation: meshes that stay their own call chosen services of each other by global names."""
