"""From one Istio to another, step by step: what holds on the way, and what it costs."""
