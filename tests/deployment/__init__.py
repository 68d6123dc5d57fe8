"""Tests of what is deployed: image, chart, alerts, cluster. Not part of `make test`: they need tools of their own."""
