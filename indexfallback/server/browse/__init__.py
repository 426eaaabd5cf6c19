"""Pages for people: the state of the indexes, the known projects, and a page for each project.

Pure functions turn values into HTML, one module for each part of a page; `metadata` and
`resources` do the I/O. The pages use no scripts and nothing from other hosts.
"""
