"""The service beyond one machine: a whole cluster on this one, and what survives of it. docs/scaling.md tells the rest.

python -m proofs.cluster            what `make cluster` runs: brings it up, and takes it down on Ctrl-C
python -m proofs.cluster test       what `make cluster-test` runs: breaks one part after the other, under load
"""
