"""The product's settings, with what a test changes: a queue of its own, a shorter limit."""

import json
import os

from omneo.settings import *  # noqa: F403

for name, value in json.loads(os.environ["OMNEO_TEST_SETTINGS"]).items():
    globals()[name] = globals()[name] | value if isinstance(value, dict) else value
