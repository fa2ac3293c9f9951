"""Brings a mesh from one state to another while calls go on, and tells what that came to."""
