"""Hostile input: whatever comes from Kafka or from a system, there is an outcome, in bounded time.

`targets` is the table of what is fuzzed; `hostile`, `mutations`, `near_events` and `near_answers` make the inputs;
`__main__` is the long form.
"""
