"""What the relay publishes, as models for JSON Schemas and tests. `kafka/records_out.py` writes it by hand, faster."""
