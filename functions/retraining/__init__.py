"""What a retraining is: its requests, versions, names, gate, records and messages.

The modules of this package are rules and know nothing of AWS's clients; ``retraining.aws`` holds one adapter
per service, and ``retraining.ports`` says what the rules ask of them.
"""
