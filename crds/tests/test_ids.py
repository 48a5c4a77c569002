"""Identifiers that follow from other names."""

import pytest
from algo_crds.contracts.ids import id_of_parts, id_of_resource, is_id, new_id


@pytest.mark.parametrize("text", ["", "a", "ä" * 500])
def test_any_names_together_have_one_identifier(text: str) -> None:
    found = id_of_parts("queue", "str_01", text)
    assert is_id(found, "queue")
    assert found == id_of_parts("queue", "str_01", text)


def test_where_one_name_ends_matters() -> None:
    assert id_of_parts("queue", "ab", "c") != id_of_parts("queue", "a", "bc")


def test_a_resource_under_another_name_has_the_identifier_of_its_uid() -> None:
    made = new_id("str")
    assert id_of_resource("str", made.replace("_", "-"), "") == made
    uid = "00000000-0000-0000-0000-000000000001"
    assert id_of_resource("str", "mine", uid) == "str_" + "0" * 25 + "4"
