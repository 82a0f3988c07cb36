"""The broker of a machine without one: messages as files in a folder, each there as a whole."""

from __future__ import annotations

import time
import uuid
from pathlib import Path
from typing import Any

from kombu.transport import filesystem
from kombu.utils.encoding import str_to_bytes
from kombu.utils.json import dumps


class Channel(filesystem.Channel):
    """Kombu's own lets a reader take a file before it is written, and falls over what it reads."""

    def _put(self, queue: str, payload: Any, **kwargs: Any) -> None:
        name = f"{time.monotonic_ns() // 1_000_000}_{uuid.uuid4()}.{queue}.msg"
        message = Path(self.data_folder_out, name)
        unfinished = message.with_name(f"{name}.new")  # which no reader looks at
        unfinished.write_bytes(str_to_bytes(dumps(payload)))
        unfinished.rename(message)


class Transport(filesystem.Transport):
    """Kombu's own expects its folders to be there, and a worker ends where they are not.

    Ours makes them. Where it cannot, the broker is away, and is waited for as a server is.
    """

    Channel = Channel
    connection_errors = (*filesystem.Transport.connection_errors, OSError)

    def establish_connection(self) -> Any:
        for name in ("data_folder_in", "data_folder_out", "control_folder"):
            Path(self.client.transport_options[name]).mkdir(parents=True, exist_ok=True)
        return super().establish_connection()
