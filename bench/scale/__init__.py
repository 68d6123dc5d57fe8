"""What grows with what: keys, partitions, one hot key, and what waits for a system that is away."""
