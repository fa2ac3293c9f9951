"""What comes after Istio was installed: namespaces, and pods that end by themselves."""
