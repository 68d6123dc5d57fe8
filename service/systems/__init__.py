"""The only package that calls the systems: one adapter for each, over one HTTP client and one transport."""
