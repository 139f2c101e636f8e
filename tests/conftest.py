"""What every test relies on."""

import signal

# A shell that starts a command in the background lets it ignore Ctrl+C, and so would everything that the tests start
# and interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
