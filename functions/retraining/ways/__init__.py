"""The ways in beside uploads: one module for each kind of event, with one function that reads it.

A reader says what is asked for, or why the event asks for nothing. It decides nothing else: whether the
request is right, its image allowed and its content new is the same question for all of them
(`retraining.starting`).
"""
