"""The control plane's own channel: how proxies are told what to do."""
