"""Optimisers: data. One entry is the equations of one update of one parameter, for every element of any shape.

>>> sgd(0.1).update
sgd(theta, g, lr) -> theta_new:
    theta_new = -g*lr + theta
>>> [e.name for e in adam().update.equations]
['m_new', 'v_new', 'theta_new']
>>> clip_norm(sgd(0.1), 1.0).update
sgd(g, clip_scale, theta, lr) -> theta_new:
    g_scaled = clip_scale*g
    theta_new = -g_scaled*lr + theta
"""

from symdl.library.optimisers.clipping import clip_norm, clip_value
from symdl.library.optimisers.descent import lion, momentum, nesterov, sgd
from symdl.library.optimisers.moments import adam, adamw, amsgrad, nadam, radam
from symdl.library.optimisers.quasi_newton import LBFGS, lbfgs
from symdl.library.optimisers.record import Optimizer, Setting
from symdl.library.optimisers.scaled import adadelta, adagrad, rmsprop

__all__ = [
    "LBFGS",
    "OPTIMISERS",
    "Optimizer",
    "Setting",
    "adadelta",
    "adagrad",
    "adam",
    "adamw",
    "amsgrad",
    "clip_norm",
    "clip_value",
    "lbfgs",
    "lion",
    "momentum",
    "nadam",
    "nesterov",
    "radam",
    "rmsprop",
    "sgd",
]

OPTIMISERS = {
    make.__name__: make
    for make in (sgd, momentum, nesterov, adagrad, adadelta, rmsprop, adam, adamw, amsgrad, nadam, radam, lion)
}
