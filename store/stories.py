"""Articles that tell the same thing become one story: the part of the store that decides it, seen from outside.

Every function but `group_documents`, `arrive`, `rebuild` and `settle_stories` runs inside the caller's
transaction (`store.database.session_scope`).
"""

from __future__ import annotations

from store.story_assign import Assignment, assign_story
from store.story_edit import forget, merge, reassign, split
from store.story_explain import Explanation, Side, borrowed_zones, explain
from store.story_group import arrive, group_documents
from store.story_index import expect
from store.story_rebuild import Rebuilt, rebuild, settle_stories
from store.story_related import SameEvent, Told, events_among, practices, related, related_to

__all__ = [
    "Assignment",
    "Explanation",
    "Rebuilt",
    "SameEvent",
    "Side",
    "Told",
    "arrive",
    "assign_story",
    "borrowed_zones",
    "events_among",
    "expect",
    "explain",
    "forget",
    "group_documents",
    "merge",
    "practices",
    "reassign",
    "rebuild",
    "related",
    "related_to",
    "settle_stories",
    "split",
]
