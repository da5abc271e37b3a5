"""Jobs of CodePipeline: what its Lambda action sends, and what it is answered, until the run has ended.

Nothing in here logs, raises or keeps the event: it holds credentials of the pipeline's role.
"""
