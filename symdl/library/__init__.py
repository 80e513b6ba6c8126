"""The library: activations, losses, layers, optimisers, … as data. Modules that are public are loaded when used."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__, submodules={"initialisers", "layers", "losses", "optimisers", "regularisers", "schedules"}
)
