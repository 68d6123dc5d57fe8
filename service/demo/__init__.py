"""The demonstration: the whole flow on one machine, with the real worker, and a check of everything that it did.

Sits on top of the relay: starts its parts, publishes samples, watches, and judges. Must not reach into a running
worker.
"""
