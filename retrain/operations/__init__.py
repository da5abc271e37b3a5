"""What can be done with a deployed stack, without printing: upload, follow, read, predict.

The commands, the demo and the console stand on these; each function takes a `retrain.aws.Stack`.
"""
