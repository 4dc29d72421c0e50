"""The fictitious identity card of the Republic of Sightland: drawn, forged and photographed."""
