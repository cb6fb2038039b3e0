"""Mutation testing: changes the code in one place at a time, and a test must fail.

make mutation                                        about half an hour on one core
make mutation ARGS="--only cart/permissions.py"      a part

cosmic-ray makes the changes, and not mutmut: that leaves decorated functions and the bodies of classes alone, which
here are nearly everything (`@retrying`, `@property`, fields, constraints).
"""
