"""Settings for all tests."""

from hypothesis import settings

# Shared machines are slow at times; no test of this project compares with a clock.
settings.register_profile("project", deadline=None)
settings.load_profile("project")
