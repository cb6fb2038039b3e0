"""The long proofs: races, crashes, overload, hostile input, over the real server on a PostgreSQL of their own.

make stress                                     every part
make stress ARGS="races crashes"                some
make stress ARGS=--long                         every part, with the sizes of docs/decisions/0015-proofs.md
make stress ARGS="races --rounds 1000"          one longer
make stress ARGS="races --sabotage no-lock"     against a build that is broken on purpose: the proof must fail
"""
