"""What holds for all tests."""

import signal

from hypothesis import settings

# How long an example takes says how busy the machine is, not whether it is right.
settings.register_profile("retrain", deadline=None)
settings.load_profile("retrain")

# A shell's background jobs ignore Ctrl-C, and so would the programs that tests start and interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
