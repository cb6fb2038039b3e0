"""The long proofs: races, crashes, overload, hostile input, over the real server on a PostgreSQL of their own.

make torture                                     every part
make torture ARGS="races crashes"                some
make torture ARGS="races --rounds 100"           shorter
make torture ARGS="races --sabotage no-lock"     against a build that is broken on purpose: the proof must fail
"""
