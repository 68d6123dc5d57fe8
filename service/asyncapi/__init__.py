"""The AsyncAPI document of all topics, made from the models, and the JSON Schema of every event type."""
