"""Kafka: one way in (`source`), one way out (`stores`), and the topics. The only package that imports aiokafka."""
