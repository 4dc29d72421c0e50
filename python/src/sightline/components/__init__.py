"""Principal components of a table of features: moments, eigenvectors and projections."""
