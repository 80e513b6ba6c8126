"""A neural network unit: one weighted sum, one activation, a squared loss (L1 to L11 of the lecture)."""

import symdl as sd


@sd.define
def neuron(x=sd.Input("n i"), t=sd.Input("n"), w=sd.Param("i"), b=sd.Param()):
    n, i = x.indices
    s = sd.let("s[n]", sd.Sum(w[i] * x[n, i], i) + b)
    y = sd.let("y_hat[n]", s[n])  # the identity, as in the lecture
    return sd.let("L", sd.mean((t[n] - y[n]) ** 2, n))


definition = neuron
values = {"x": [[1, 1, 3]], "t": [10], "w": [2, 2, 2], "b": 4}
optimizer = sd.sgd(lr=0.04)
