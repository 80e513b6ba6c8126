"""Forms that keep their digits, found from a definition: rounding, candidates, certified polynomials."""
