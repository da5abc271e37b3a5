"""The States Language: a typed model, validation as strict as AWS's, an engine. Needs nothing of Retrain."""
