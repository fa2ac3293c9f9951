"""Routing by VirtualService and DestinationRule, in one cluster and across."""
