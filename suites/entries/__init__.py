"""Services by other means than a Service before pods: ServiceEntry and ExternalName."""
