"""`sightline bench`: the cost of a user's model on a user's images, and of its raw parts."""
