from symdl.library import layers as layers
