"""gRPC: calls that share a connection, and tell by a status of their own what came of them."""
