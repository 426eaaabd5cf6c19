"""The fields of the legacy upload form, as twine, uv, flit, poetry and hatch send them.

Source: the upload API that PyPI documents.
"""

from collections.abc import Mapping
from typing import NamedTuple

from indexfallback.errors import UploadRefusedError

#: Fields that are read; all others are also in the metadata inside the file.
FIELDS = frozenset(
    (":action", "protocol_version", "name", "version", "filetype",
     "md5_digest", "sha256_digest", "blake2_256_digest")
)  # fmt: skip
#: The field with the file.
CONTENT = "content"
#: File type to the endings of its file names.
_ENDINGS = {"bdist_wheel": (".whl",), "sdist": (".tar.gz", ".zip")}
#: The endings of all files that are taken, and the words for them.
ENDINGS = tuple(ending for endings in _ENDINGS.values() for ending in endings)
FORMATS = "wheels (.whl) and sdists (.tar.gz, .zip)"
_DIGESTS = {"md5_digest": "md5", "sha256_digest": "sha256", "blake2_256_digest": "blake2_256"}


class Form(NamedTuple):
    """The client's description of the file."""

    name: str
    version: str
    #: Lower-case hexadecimal digests that the client sent, by algorithm.
    digests: dict[str, str]


def read_form(fields: Mapping[str, str], filename: str) -> Form:
    """Return the form in the fields of an upload.

    Raises:
        UploadRefusedError: a field is missing or not valid for the file.

    """
    if fields.get(":action") != "file_upload":
        action = fields.get(":action", "")
        raise UploadRefusedError(
            filename, f':action is "{action}"', "Only file_upload is supported"
        )
    if fields.get("protocol_version", "1") != "1":
        raise UploadRefusedError(filename, "protocol_version is not 1", "Update the client")
    for field in ("name", "version"):
        if not fields.get(field):
            raise UploadRefusedError(filename, f"the form has no {field}", "Update the client")
    kind = fields.get("filetype", "")
    if not filename.endswith(_ENDINGS.get(kind, ())):
        raise UploadRefusedError(filename, f'filetype is "{kind}"', f"Upload {FORMATS} only")
    digests = {name: fields[field].lower() for field, name in _DIGESTS.items() if fields.get(field)}
    return Form(fields["name"], fields["version"], digests)


def check_digests(form: Form, found: Mapping[str, str], filename: str) -> None:
    """Compare the digests in the form with those ``found``.

    Raises:
        UploadRefusedError: one of them differs.

    """
    for name, digest in form.digests.items():
        if digest != found[name]:
            raise UploadRefusedError(
                filename,
                f"its {name} is {found[name]}, but the form says {digest}",
                "It was damaged during the upload: upload it again",
            )
