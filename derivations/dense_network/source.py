"""Two fully connected layers with tanh, squared loss: what every deeper network repeats."""

import symdl as sd

definition = sd.sequential(sd.dense(act="tanh"), sd.dense(), loss="l2", name="dense_network")
