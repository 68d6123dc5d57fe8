"""The five systems the relay talks to, simulated faithfully and statefully over HTTP.

Tests, the demonstration and users run against the same sandbox. It imports nothing from the relay's adapters: it
states how the systems behave, not how the relay uses them.
"""
