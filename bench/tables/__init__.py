"""The tables that `python -m bench` prints: what is measured for each, and how it is told."""
