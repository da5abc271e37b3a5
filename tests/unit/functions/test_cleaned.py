"""What was cleaned up is told as it was: nothing if nothing was."""

import pytest

from retraining import cleaned, passages


@pytest.mark.parametrize(
    ("removed", "said"),
    [
        ({"runs": 0}, ""),
        ({}, ""),
        ({"runs": 1}, "What an earlier run had left is removed."),
        ({"runs": 1, "log_streams": 2}, "What an earlier run had left is removed: 2 log streams."),
        (
            {"runs": 3, "packages": 3, "models": 1, "objects": 20},
            "What 3 earlier runs had left is removed: 1 model, 3 model packages rejected, 20 files.",
        ),
    ],
)
def test_what_was_removed(removed: dict[str, int], said: str) -> None:
    assert cleaned.sentence({"removed": removed, "kept": [], "warnings": []}) == said


def test_a_first_deployment_tells_of_no_clean_up() -> None:
    cleanup: dict[str, object] = {"removed": {"runs": 0}, "kept": ["digits-1"], "warnings": []}
    assert "leaned" not in passages.deployment({"outcome": "DEPLOYED", "cleanup": cleanup})
    cleanup["removed"] = {"runs": 1, "models": 1}
    said = passages.deployment({"outcome": "DEPLOYED", "cleanup": cleanup})
    assert "Cleaned up: what an earlier run had left is removed: 1 model." in said


@pytest.mark.parametrize("odd", [{}, {"removed": 7}, {"removed": ["a"]}, {"removed": {"runs": "many"}}])
def test_what_is_not_known_is_not_told(odd: dict[str, object]) -> None:
    assert cleaned.sentence(odd) == ""
    assert cleaned.kept(odd) == 0
