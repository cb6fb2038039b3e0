"""The history: who changed what, from which to which value, when and from where. It outlives objects and staff.

Changes by staff, commands and imports are recorded by the code that writes them, in the same transaction:
`audit.recording.record(…)`. Customers' changes of their own carts are not recorded. docs/decisions/0024-audit.md says
why this is not a library.
"""
