"""The embedded AWS: MiniStack in a process of its own, repaired where it is laxer than AWS, plus a SageMaker that works."""
