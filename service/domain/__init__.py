"""Pure values: records, events, operations, answers, outcomes. No I/O, no client library, no logging."""
