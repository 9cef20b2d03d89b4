"""Evidence for motion correction: many methods on many phantom exams, measured against truth.

`cases` draws exams that no network has seen. `contenders` lets each method register each series;
`measure` compares the answer with the truth: overlap and place of the true contours
(`contours`, `walls`, `overlap`, `target_error`), signal curves (`curves`), flow maps
(`flow_error`), folds. One `Record` per method and series comes out. `summary` makes tables, tests
and a verdict on the goals out of records; `plots`, `profiles` and `movie` make the pictures.
"""
