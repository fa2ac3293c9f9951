"""Remote secrets that are put right while an istiod runs."""
