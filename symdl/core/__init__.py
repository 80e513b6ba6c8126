"""Indices, tensors, equations, definitions and special functions: what every other part is made of."""
