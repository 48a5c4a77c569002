"""For the tests of every package: Hypothesis judges what happens, never how long it takes on a busy machine."""

from hypothesis import settings

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
