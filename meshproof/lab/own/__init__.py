"""Clusters of one's own: what they are and allow is asked before anything is changed in them, what
their network is before anything is installed, and what we made is gone in the end."""
