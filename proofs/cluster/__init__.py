"""Runs a whole cluster on this machine, and tests which failures it survives. docs/scaling.md has the results.

python -m proofs.cluster            what `make cluster` runs: brings it up, and takes it down on Ctrl-C
python -m proofs.cluster test       what `make cluster-test` runs: breaks one part after the other, under load
"""
