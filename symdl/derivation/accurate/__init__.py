"""Forms that keep their digits, found from a definition: what the naive form loses, candidates, certified polynomials."""
