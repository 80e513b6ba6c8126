"""The training workloads W1 to W5 and W9, and the same in PyTorch, JAX and NumPy: one run, in turn.

`networks` says what each one is, `ours` compiles it through the public API from definitions and knows no workload.
"""
