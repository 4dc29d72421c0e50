"""Model bundles: a folder or zip file with one model, and the code that makes and checks it."""
