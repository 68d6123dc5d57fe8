"""The judgement: whether every record has the one result that it should have, and the systems hold what was asked for.

Works from the samples and from what was read back alone. Must not use the relay's translation: it would then agree with
the relay's mistakes.
"""
