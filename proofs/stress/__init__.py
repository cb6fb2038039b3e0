"""The long proofs: races, crashes, overload, hostile input, over the real server on a PostgreSQL of their own.

make stress                                     every part
make stress ARGS="races crashes"                some
make stress ARGS="races --rounds 100"           shorter
make stress ARGS="races --sabotage no-lock"     against a build that is broken on purpose: the proof must fail
"""
