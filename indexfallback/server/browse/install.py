"""The commands that install through this index, to copy."""

from indexfallback.server.browse.markup import Html, html

_COMMANDS = """\
<dl class="commands">
<dt>pip</dt><dd><code class="command">pip install --index-url {address} {project}</code></dd>
<dt>uv</dt><dd><code class="command">uv pip install --default-index {address} {project}</code></dd>
</dl>
"""


def commands(address: str, project: str) -> Html:
    """Return the commands that install a project from the simple API at ``address``."""
    return html(_COMMANDS, address=address, project=project)
