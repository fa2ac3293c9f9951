"""Who peers are to each other, and who vouches for them."""
