"""`connecte chaos`: programmes on a real Kafka and a replica set while all that can fail does.

A schedule from a seed says which fault comes when; the load goes on through all of them; then
everything is healed, comes to rest and is judged by `deploy.trial.check`, which knows none of
this code.
"""
