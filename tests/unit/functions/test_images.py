"""Image references: taken apart, allowed, and pinned to what they mean now."""

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from hypothesis import given
from hypothesis import strategies as st

from retraining import errors, images
from retraining.aws import clients, registry
from retraining.aws.registry import EcrRegistry
from tests.unit.functions import stack

HOST = "123456789012.dkr.ecr.eu-central-1.amazonaws.com"
DIGEST = f"sha256:{'ab' * 32}"
OTHER = f"sha256:{'cd' * 32}"


class FakeRegistry:
    """One repository; what was asked is kept."""

    def __init__(self, **tags: str) -> None:
        self.tags = tags
        self.asked: list[tuple[str, ...]] = []

    def digest(self, account: str, region: str, repository: str, *, tag: str, digest: str) -> str | None:
        self.asked.append((account, region, repository, tag, digest))
        if digest:
            return digest if digest in self.tags.values() else None
        return self.tags.get(tag)


def test_a_tag_is_pinned_to_the_digest_that_it_has_now():
    known = FakeRegistry(stable=DIGEST)
    assert str(images.pin(f"{HOST}/team/model:stable", known)) == f"{HOST}/team/model@{DIGEST}"
    known.tags["stable"] = OTHER
    assert images.pin(f"{HOST}/team/model:stable", known).digest == OTHER
    assert known.asked[0] == ("123456789012", "eu-central-1", "team/model", "stable", "")


def test_without_a_tag_the_latest_is_meant():
    assert images.pin(f"{HOST}/model", FakeRegistry(latest=DIGEST)).digest == DIGEST


@pytest.mark.parametrize("reference", [f"{HOST}/model@{DIGEST}", f"{HOST}/model:moved@{DIGEST}"])
def test_a_digest_counts_and_is_looked_up(reference):
    known = FakeRegistry(moved=OTHER, kept=DIGEST)
    assert str(images.pin(reference, known)) == f"{HOST}/model@{DIGEST}"
    assert known.asked == [("123456789012", "eu-central-1", "model", "", DIGEST)]


def test_pinning_a_pinned_image_changes_nothing():
    known = FakeRegistry(a=DIGEST)
    pinned = images.pin(f"{HOST}/model:a", known)
    assert images.pin(str(pinned), known) == pinned


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        (f"{HOST}/model:gone", f"There is no image {HOST}/model:gone in Amazon ECR"),
        (f"{HOST}/model@{OTHER}", f"There is no image {HOST}/model@{OTHER}"),
        ("python:3.11-slim", "python:3.11-slim is not in Amazon ECR, where SageMaker takes images from"),
        ("localhost:5000/model:1", "is not in Amazon ECR"),
        ("123456789012.dkr.ecr.eu-central-1.amazonaws.com.evil.org/model:1", "is not in Amazon ECR"),
        ("no image!", "'no image!' is not repository:tag or repository@sha256:digest"),
        ("", "'' is not repository:tag"),
    ],
)
def test_an_image_that_cannot_be_pinned_is_named_with_the_remedy(reference, said):
    with pytest.raises(errors.RequestError) as caught:
        images.pin(reference, FakeRegistry(here=DIGEST))
    assert said in str(caught.value)
    assert "push the image, or name another in training.image_uri" in str(caught.value)


@pytest.mark.parametrize(
    ("repository", "place"),
    [
        (f"{HOST}/a/b", images.EcrRepository("123456789012", "eu-central-1", "a/b")),
        (
            "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/a",
            images.EcrRepository("123456789012", "cn-north-1", "a"),
        ),
        ("12345.dkr.ecr.eu-central-1.amazonaws.com/a", None),
        (HOST, None),
        ("retrain-training", None),
    ],
)
def test_where_a_repository_lies(repository, place):
    assert images.ecr_repository(repository) == place


@given(st.text(max_size=300))
def test_whatever_is_written_is_pinned_or_refused(text):
    try:
        pinned = images.pin(text, FakeRegistry(latest=DIGEST))
    except errors.RequestError:
        return
    assert images.parse(str(pinned)) == pinned
    assert pinned.digest == DIGEST


@pytest.fixture
def pushed(aws: None) -> str:
    """An image in the registry; gives its digest."""
    ecr = clients.client("ecr", stack.REGION)
    if not ecr.describe_repositories()["repositories"]:
        ecr.create_repository(repositoryName="retrain-training")
    answer = ecr.put_image(
        repositoryName="retrain-training",
        imageManifest='{"schemaVersion": 2}',
        imageManifestMediaType="application/vnd.docker.distribution.manifest.v2+json",
        imageTag="7",
    )
    return answer["image"]["imageId"]["imageDigest"]


class TestEcr:
    """The adapter."""

    REPOSITORY = (stack.ACCOUNT, stack.REGION, "retrain-training")

    def test_by_tag_and_by_digest(self, pushed):
        assert EcrRegistry().digest(*self.REPOSITORY, tag="7", digest="") == pushed
        assert EcrRegistry().digest(*self.REPOSITORY, tag="", digest=pushed) == pushed

    def test_what_is_not_there(self, pushed):
        assert EcrRegistry().digest(*self.REPOSITORY, tag="8", digest="") is None
        assert EcrRegistry().digest(*self.REPOSITORY, tag="", digest=OTHER) is None
        assert EcrRegistry().digest(stack.ACCOUNT, stack.REGION, "nothing", tag="7", digest="") is None

    @pytest.fixture
    def stubbed(self, monkeypatch):
        """A client that answers what it is told to."""
        import boto3

        ecr = boto3.client("ecr", "eu-west-1", aws_access_key_id="a", aws_secret_access_key="b")
        regions = []
        monkeypatch.setattr(registry, "client", lambda service, region: regions.append(region) or ecr)
        with Stubber(ecr) as stubber:
            yield stubber
        assert regions == ["eu-west-1"]

    def ask(self):
        return EcrRegistry().digest("763104351884", "eu-west-1", "pytorch", tag="2", digest="")

    def test_a_repository_that_may_be_pulled_from_and_not_described(self, stubbed):
        stubbed.add_client_error("describe_images", "AccessDeniedException")
        image = {"repositoryName": "pytorch", "imageId": {"imageDigest": DIGEST, "imageTag": "2"}}
        stubbed.add_response("batch_get_image", {"images": [image], "failures": []})
        assert self.ask() == DIGEST

    def test_an_image_that_may_be_pulled_and_is_not_there(self, stubbed):
        stubbed.add_client_error("describe_images", "AccessDeniedException")
        stubbed.add_response("batch_get_image", {"images": [], "failures": []})
        assert self.ask() is None

    def test_a_repository_that_may_not_even_be_pulled_from(self, stubbed):
        stubbed.add_client_error("describe_images", "AccessDeniedException")
        stubbed.add_client_error("batch_get_image", "AccessDeniedException")
        with pytest.raises(errors.AccessRefusedError, match="Looking up the image pytorch 2 of account 763"):
            self.ask()

    def test_a_busy_registry_is_asked_again_later(self, stubbed):
        stubbed.add_client_error("describe_images", "ThrottlingException")
        with pytest.raises(errors.TransientAwsError) as caught:
            self.ask()
        assert isinstance(caught.value.__cause__, ClientError)
