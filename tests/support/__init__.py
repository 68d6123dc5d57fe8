"""What tests against real processes and a real broker share."""
