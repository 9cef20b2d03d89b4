"""Evidence for myocardial blood flow: estimates against truth, with and without images.

`draw_curves` gives tissue curves alone, thousands at a time, to judge the fit by itself.
"""
