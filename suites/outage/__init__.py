"""What goes on while a part of a mesh is away, and what comes back by itself."""
