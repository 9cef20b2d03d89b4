"""Delivering result objects: every object to every destination, once, whatever fails.

Reading order: `association` (connect, with refusals in words), `scu` (one object, what the answer
means), `drain` (the loop over the outbox), `echo` (is the peer there at all).

What an answer means (PS3.4 B.2.3, PS3.7 Annex C):

- 0x0000, 0xBxxx and other warnings: delivered; 0x0111 duplicate SOP instance: delivered earlier.
- 0xA7xx out of resources, no answer, no association: tried again by the schedule for ever.
- 0xA9xx, 0xCxxx, 0x0122 and every other failure, or no accepted presentation context: a refusal.
  It is retried through the whole schedule all the same, because archives answer "cannot
  understand" also when their database is down; a refusal that still stands then is final.

An association that fails holds back its destination, not single objects: when the archive is back
everything that waits goes out at once.
"""
