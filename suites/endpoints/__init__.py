"""What proxies are told of endpoints: the cluster that each is in."""
