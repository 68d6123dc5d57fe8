"""holdings-relay: relays holdings changes from Kafka to the systems that must hear of them."""

__version__ = "0.1.0"
