"""What the worker's transport is measured against: other HTTP clients behind the same port, one module each."""
