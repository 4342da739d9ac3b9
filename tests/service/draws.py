"""How Hypothesis draws here: no time limit for one example, and in CI always the same ones."""

import os

from hypothesis import settings

BOUNDED = settings(max_examples=100, deadline=None, derandomize=bool(os.environ.get("CI")))
