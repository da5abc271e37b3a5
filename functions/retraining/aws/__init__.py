"""Retrain's ports answered by AWS: one module per service, each turning the service's errors into ours."""
