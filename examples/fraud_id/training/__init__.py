"""Training of the id_fraud model: pixels, augmentation, epochs."""
