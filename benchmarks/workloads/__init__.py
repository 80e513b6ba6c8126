"""The training workloads W1 to W9, and the same in PyTorch, JAX and NumPy: one run, in turn.

`networks` and `models` say what each one is, `ours` compiles it through the public API from definitions of the library,
`in_torch`, `in_jax` and `by_hand` are the peers, `contestants` puts them together.
"""
