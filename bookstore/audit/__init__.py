"""Who changed what, from what, to what, when and from where: a history that outlives its objects and its staff.

Whatever staff, commands and imports write is recorded by the code that writes it, in the same transaction:
`audit.recording.record(…)`. What customers do to their own carts is not recorded. docs/decisions/0024-audit.md says why
this is no library.
"""
