"""The help of `--allow-code`, which more than one command has."""

ALLOW_CODE = "Let the model's bundle name Python code of any package; only for models you trust."
