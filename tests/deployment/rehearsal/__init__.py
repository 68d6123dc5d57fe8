"""A deployment without containers: workers as processes, with what the rendered chart would give their pods."""
