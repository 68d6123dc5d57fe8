"""The heart: order, offsets, retries and the loop that drives them. Talks to the world through `ports` only."""
