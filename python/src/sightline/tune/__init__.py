"""`sightline tune`: a search for the best classifier on a model's features, in Spark."""
