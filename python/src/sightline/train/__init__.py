"""Training of image classifiers: samples in shards, the training loop, checkpoints."""
