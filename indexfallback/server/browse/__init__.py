"""Pages for people: the state of the indexes, the names that are known, and each project.

Values become HTML by pure functions, one module a part of a page; `metadata` and `resources` read
and answer. Nothing here needs a script, and nothing comes from another host.
"""
