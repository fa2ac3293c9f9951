"""What remains of a mesh after its removal: nothing."""
