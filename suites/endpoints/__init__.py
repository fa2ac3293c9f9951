"""What proxies are told of endpoints: the cluster that each is in, and the region and zone."""
