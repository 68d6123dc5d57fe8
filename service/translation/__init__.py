"""From a record's bytes to steps and entity keys. Pure: no I/O, no clock, no settings."""
