"""What the documentation's site is made of beside the pages under docs/: generated pages, and a
look at the result. `make site` builds it."""
