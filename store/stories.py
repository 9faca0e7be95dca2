"""Articles that tell the same thing become one story: the part of the store that decides it, seen from outside."""

from __future__ import annotations

from store.story_assign import Assignment, assign_story
from store.story_group import group_documents

__all__ = ["Assignment", "assign_story", "group_documents"]
