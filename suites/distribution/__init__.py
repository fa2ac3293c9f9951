"""Both versions answer, from both clusters."""
