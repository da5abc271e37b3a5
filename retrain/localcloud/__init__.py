"""The embedded AWS: MiniStack in a process of its own, mended where it is laxer than AWS, and a SageMaker."""
