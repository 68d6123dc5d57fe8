"""What the outside can see of a worker: logs, metrics, health. The only package that imports prometheus_client."""
