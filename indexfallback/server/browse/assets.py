"""The files that the pages load: the script and the icon."""

from importlib.resources import files

import falcon

from indexfallback.server.pages import send
from indexfallback.server.rendered import as_rendered


class AssetResource:
    """One file of this folder."""

    is_for_any_token = True

    def __init__(self, filename: str, content_type: str) -> None:
        self._type = content_type
        self._rendered = as_rendered(files(__package__).joinpath(filename).read_bytes())

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer with the file; a browser asks whether it has changed."""
        send(req, resp, self._type, self._rendered)

    on_head = on_get
