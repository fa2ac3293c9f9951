"""Istio's metrics across clusters: who called whom, as both proxies count it."""
