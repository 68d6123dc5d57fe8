"""The events that the service takes in, each as one pydantic model: what is valid, what it means, its JSON Schema.

Owns the shape of `data` only. What an event becomes is `translation`'s business, the CloudEvents envelope too.
"""
