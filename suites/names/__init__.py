"""Where names resolve."""
