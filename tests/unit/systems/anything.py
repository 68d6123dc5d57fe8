"""JSON of every kind, and JSON that nearly looks like a system's."""

from __future__ import annotations

import re

from hypothesis import strategies as st

from service.domain.jsonvalue import JsonValue

_NAMES = """
    data attributes relationships accessType id isSelected customCoverages customEmbargoPeriod embargoUnit
    embargoValue beginCoverage endCoverage visibilityData isHidden proxy tags tagList name url included meta
    failed resources errors message title detail parameters key metrics INSTANCE ITEM CREATE UPDATE DELETE
    COMPLETED FAILED SKIPPED PENDING statusCode entity entityType hrid holdingsRecordsSources source
    destination holdingTransferResponses itemTransferResponses itemTransferRequest holdingsTransferRequest
    owningInstitutionBibId shortMessage
"""
_KEYS = re.findall(r"\w+", _NAMES)

_leaves: st.SearchStrategy[JsonValue] = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 600), st.floats(allow_nan=False), st.text(max_size=20)
)

any_json: st.SearchStrategy[JsonValue] = st.recursive(
    _leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.one_of(st.sampled_from(_KEYS), st.text(max_size=5)), inner, max_size=5),
    ),
    max_leaves=25,
)
