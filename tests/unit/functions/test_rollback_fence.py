"""A run that a rollback went ahead of is judged all the same, and ends as SKIPPED and not as a failure."""

import pytest

from retraining import settings
from retraining.errors import ChampionChangedError
from tests.unit.functions import stack
from tests.unit.functions.test_evaluation import World, guesses

EARLIER, LATER = "2026-01-31T11:59:59.000Z", "2026-01-31T12:00:01.000Z"


@pytest.fixture
def judged(execution):
    """The challenger was compared with config-7; config-6 serves now."""
    configured = settings.from_environment(stack.environment("PrepareTrainingFunction"))
    world = World(configured, execution)
    world.endpoints.serve("retrain-mnist", "config-7")
    world.prepare()
    world.endpoints.serve("retrain-mnist", "config-6")
    return world


def claim(world, rolled_back_at):
    world.ledger.claims["retrain-mnist"] = {
        "order": 1, "run_id": "back", "rolled_back_at": rolled_back_at, "rolled_back_by": "back",
    }  # fmt: skip


def test_a_rollback_since_the_run_began_is_no_failure(judged):
    claim(judged, LATER)
    decision = judged.evaluate(predictions=guesses(1), champion_predictions=guesses(2))
    assert decision["verdict"] == "promote"
    assert decision["deployment"]["action"] == "superseded"


def test_a_rollback_before_the_run_began_explains_nothing(judged):
    claim(judged, EARLIER)
    with pytest.raises(ChampionChangedError, match="another run deployed in between"):
        judged.evaluate(predictions=guesses(1), champion_predictions=guesses(2))
