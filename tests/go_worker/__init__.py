"""Tests of the benchmark's worker in Go. Not part of `make test`: they need Go."""
