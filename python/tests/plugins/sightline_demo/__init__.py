"""A package that adds a backend, a feed, a head and a source to Sightline."""
