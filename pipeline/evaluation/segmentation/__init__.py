"""What segmentation is worth: outlines after motion correction against the truth of the phantom.

`cases` draws and corrects exams, once; `measure` outlines them and compares; `tables`, `plots` and
`sheet` show it.
"""
