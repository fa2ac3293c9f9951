"""Makes the suites importable from a source tree; everything else is in meshproof.runner.plugin."""
