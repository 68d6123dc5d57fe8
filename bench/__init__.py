"""What the relay costs. `python -m bench` measures workers on a real broker, `bench.scale` what grows with what,
`bench.soak` whether memory stays flat, `bench.exports` exports."""
