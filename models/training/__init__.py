"""Training: virtual scenes drawn once, series rendered from them without end, losses, loops.

`scenes` draws patients of the phantom and keeps what a renderer needs; `sampling` makes new series
of them for every step: turned, scaled, mirrored, with other contrast (`contrast`) and other flaws
of the image (`flaws`). `anatomy` trains the network that removes contrast, `published` the three
networks of the published method. Nothing here prints, logs or reads a configuration.
"""
