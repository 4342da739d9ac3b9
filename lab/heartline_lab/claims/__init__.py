"""Twenty statements about connections, each tested by an experiment on this machine: docs/claims.md, by `make claims`.

statements.py   the twenty, each with its experiment and its judge
measuring/      the experiments: they measure, and return plain facts
judging/        what the facts say about each part of a statement; pure
parts.py        how parts make a verdict; render.py  how it is told; both pure
rights.py       what an experiment needs beyond Python
run.py          runs experiments, several at a time where that spoils no figure
"""
