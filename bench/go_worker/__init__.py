"""The worker in Go, beside which the relay is measured: its source, and what builds and starts it."""
