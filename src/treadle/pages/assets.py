"""Style sheets and scripts, at an address that changes with them, so that browsers may keep them.

They lie together at one address, so a script finds the others beside it. A further server between
a browser and this one may put a prefix before all paths: pages name what they load relatively.
"""

from __future__ import annotations

import hashlib
import mimetypes
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

SHARED = Path(__file__).parent / "static"

_DIGEST_LENGTH = 16


class Assets:
    def __init__(self, *folders: Path) -> None:
        """All files of the folders, which have different names."""
        self._files = {
            path.name: path.read_bytes() for folder in folders for path in sorted(folder.iterdir())
        }
        digest = hashlib.sha256()
        for name, content in self._files.items():
            digest.update(f"{name}\n{len(content)}\n".encode() + content)
        self.digest = digest.hexdigest()[:_DIGEST_LENGTH]

    async def serve(self, request: Request) -> Response:
        """Answer a request whose path names a digest and a file."""
        content = self._files.get(request.path_params["name"])
        if content is None or request.path_params["digest"] != self.digest:
            return Response(status_code=404)
        kind = mimetypes.guess_type(request.path_params["name"])[0]
        headers = {
            "Cache-Control": "public, max-age=31536000, immutable",
            "Cross-Origin-Resource-Policy": "cross-origin",
            "X-Content-Type-Options": "nosniff",
        }
        return Response(content, media_type=kind, headers=headers)
