"""What perfusion reserve is worth on pairs of phantom exams.

`pair` draws stress and rest of one patient, rest in another breath-hold: moved, turned, of another
size, on other pixels. `truth` tells where the muscle of a pixel lies at rest and what its reserve
is; `measure` holds results against it, `tables`, `plots` and `document` make them readable.
"""
