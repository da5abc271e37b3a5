"""What is shortened for the tests gives what it gave before."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto.core.serialize import BaseJSONSerializer, JSONSerializer
from moto.core.utils import get_service_model

SERVICE = get_service_model("dynamodb")
TEXT = st.text(max_size=5)
NAME = st.text(min_size=1, max_size=5)
SIMPLE = st.one_of(
    st.fixed_dictionaries({"S": TEXT}),
    st.fixed_dictionaries({"N": st.integers().map(str)}),
    st.fixed_dictionaries({"B": st.just("aGVsbG8=")}),
    st.fixed_dictionaries({"BOOL": st.booleans()}),
    st.fixed_dictionaries({"NULL": st.just(True)}),
    st.fixed_dictionaries({"SS": st.lists(TEXT, max_size=3)}),
)
ATTRIBUTES = st.recursive(
    SIMPLE,
    lambda inner: st.one_of(
        st.fixed_dictionaries({"L": st.lists(inner, max_size=3)}),
        st.fixed_dictionaries({"M": st.dictionaries(NAME, inner, max_size=3)}),
    ),
    max_leaves=8,
)


def written(item: Any) -> Any:
    model = SERVICE.operation_model("GetItem")
    return JSONSerializer(operation_model=model).serialize({"Item": item})


@given(st.dictionaries(NAME, ATTRIBUTES, max_size=4))
def test_an_item_is_written_as_moto_writes_it(item):
    shorter = BaseJSONSerializer._serialize_type_structure
    short = written(item)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BaseJSONSerializer, "_serialize_type_structure", shorter.__wrapped__)
        assert written(item) == short
