"""The run card: one self-contained HTML page about one run. Pure; `retraining.reports` gathers and stores."""
