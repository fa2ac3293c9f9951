"""What a caller may see of services and rules: Sidecar resources and exportTo."""
