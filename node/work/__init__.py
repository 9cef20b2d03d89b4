"""Judging studies complete, running their computation durably, and keeping the processes alive.

Reading order: `completeness` (a pure judgement on `facts` read from headers), `janitor` (the
loop that applies it), `port` and `engine` (durable jobs, the only place that knows DBOS),
`worker` (the process that runs them), `supervise`, `child` and `locks` (the process tree).

Our own tables are the truth. The engine's database only remembers which job runs where; it may
be deleted at any time and is rebuilt from the tables by `reconcile`.
"""
