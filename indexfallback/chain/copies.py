"""Whether what an extra index has of a project is a copy of what the public index has."""

from indexfallback.page import ProjectPage


def is_copy_of(page: ProjectPage, public: ProjectPage) -> bool:
    """Tell whether every file of ``page`` has a sha256 that ``public`` lists.

    Equal hashes cannot be forged: whoever serves the project then serves the same bytes. One
    file without a sha256, or with another one, or that was left out, makes it a project of its own.
    """
    listed = {file.sha256 for file in public.files} - {None}
    is_all_known = bool(page.files) and not page.dropped
    return is_all_known and all(file.sha256 in listed for file in page.files)
