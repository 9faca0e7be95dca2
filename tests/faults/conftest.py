"""Fixtures that faults share with other tests."""

from tests.digest.conftest import add_story

__all__ = ["add_story"]
