"""Provenance objects for clients: beside each file whose page states one (PEP 740)."""

import falcon

from indexfallback.files.download import FileAddress
from indexfallback.formats.provenance import MEDIA_TYPE
from indexfallback.server.decisions import asked
from indexfallback.server.pages import is_again, send
from indexfallback.server.rendered import as_rendered
from indexfallback.shim import Shim
from indexfallback.upstream.answers import ClientLogin


class ProvenanceSender:
    """Sends provenance objects."""

    def __init__(self, shim: Shim) -> None:
        self._shim = shim

    def send(
        self,
        req: falcon.Request,
        resp: falcon.Response,
        address: FileAddress,
        login: ClientLogin | None = None,
    ) -> None:
        """Answer with the provenance object of the file at an address; raises `FileError`.

        With a client's ``login`` it is asked for with that.
        """
        asked(req, address.key.project, address.filename)
        again = is_again(req, self._shim)
        body = self._shim.downloads.provenance.get(address, login, again=again)
        send(req, resp, MEDIA_TYPE, as_rendered(body))
