"""A small CodePipeline that really runs: a source in S3, Step Functions, Lambda with its whole job protocol.

`install` sews it onto the local cloud; `shutdown` ends what it runs. What it does not do, it refuses by name.
"""

from __future__ import annotations

from retrain.localcloud import seams
from retrain.localcloud.codepipeline.platform import Platform, Settings
from retrain.localcloud.codepipeline.service import TARGET_PREFIX, CodePipeline
from retrain.localcloud.context import LocalCloudContext

__all__ = ["CodePipeline", "Settings", "install", "shutdown"]

_installed: CodePipeline | None = None


def install(context: LocalCloudContext, settings: Settings | None = None) -> CodePipeline:
    """Serve CodePipeline in the local cloud; called once, before the server listens.

    Parameters
    ----------
    context
        The local cloud.
    settings
        Times, for tests.
    """
    global _installed
    platform = Platform(context.endpoint_url, settings or Settings())
    _installed = CodePipeline(platform, context.state_dir / "codepipeline")
    seams.register_service("codepipeline", _installed.handle, target_prefixes=(f"{TARGET_PREFIX}.",))
    return _installed


def shutdown() -> None:
    """End the executions that run; to be called when the server has stopped serving."""
    global _installed
    if _installed is not None:
        _installed.shutdown()
        _installed = None
