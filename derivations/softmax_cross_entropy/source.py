"""Softmax and cross-entropy: why the gradient is p − y, and what that needs of y."""

import symdl as sd


@sd.define
def softmax_cross_entropy(z=sd.Input("n k"), y=sd.Input("n k", facts=["sums_to_one"])):
    n, k = z.indices
    p = sd.let("p[n,k]", sd.softmax(z[n, k], k))
    return sd.let("L", sd.mean(-sd.Sum(y[n, k] * sd.log(p[n, k]), k), n))


definition = softmax_cross_entropy
wrt = "z"
