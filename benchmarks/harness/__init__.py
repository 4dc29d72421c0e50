"""`sightline bench`: what an image costs here, beside the raw parts and the peers."""
