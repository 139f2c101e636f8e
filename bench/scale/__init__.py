"""How far the service scales: open-loop load against one worker and two, and what follows for many visitors."""
