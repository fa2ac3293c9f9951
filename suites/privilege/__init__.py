"""What the account in a remote secret may do, and nothing else."""
