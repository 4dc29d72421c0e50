"""`sightline bench`: the cost of a user's model on a user's images, beside its raw parts."""
