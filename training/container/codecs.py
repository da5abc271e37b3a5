"""How requests and answers are read and written when the user's script does not say: JSON, npy, CSV.

As SageMaker's PyTorch inference toolkit does it: text becomes a float32 tensor, npy keeps its type.
"""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from container.errors import InputError, UnacceptableError, UnsupportedContentTypeError

JSON = "application/json"
NPY = "application/x-npy"
CSV = "text/csv"
SUPPORTED = (JSON, NPY, CSV)


def media_type(header: str) -> str:
    """Return a content type without its parameters, in lower case."""
    return header.split(";")[0].strip().lower()


def decode(body: bytes, content_type: str) -> NDArray[Any]:
    """Read an array from a request's body.

    Raises
    ------
    UnsupportedContentTypeError
        If the content type is none of SUPPORTED.
    InputError
        If the body is not what the content type says.
    """
    kind = media_type(content_type)
    if kind not in SUPPORTED:
        raise UnsupportedContentTypeError(
            f"The content type {content_type!r} is not supported; send one of {', '.join(SUPPORTED)}."
        )
    try:
        if kind == JSON:
            return np.array(json.loads(body), dtype=np.float32)
        if kind == CSV:
            rows = np.genfromtxt(io.StringIO(body.decode()), dtype=np.float32, delimiter=",")
            if rows.size == 0 or np.isnan(rows).any():
                raise ValueError("rows of numbers, separated by commas, are expected")
            return rows
        array: NDArray[Any] = np.load(io.BytesIO(body), allow_pickle=False)
    except (ValueError, TypeError, EOFError, OSError, MemoryError, RecursionError) as error:
        raise InputError(f"The body cannot be read as {kind}: {error}") from error
    return array


def encode(value: Any, accept: str) -> tuple[bytes, str]:
    """Write an answer in the first content type of `accept` that is known; JSON if it leaves the choice.

    Returns
    -------
    tuple[bytes, str]
        The body and its content type.

    Raises
    ------
    UnacceptableError
        If `accept` allows none of SUPPORTED.
    """
    if hasattr(value, "detach"):  # a torch tensor, on any device
        value = value.detach().cpu().numpy()
    for part in accept.split(","):
        kind = media_type(part)
        if kind in ("", "*/*", "application/*", JSON):
            return json.dumps(value, default=_plain).encode(), JSON
        if kind == NPY:
            buffer = io.BytesIO()
            np.save(buffer, np.asarray(value), allow_pickle=False)
            return buffer.getvalue(), NPY
        if kind == CSV:
            rows = np.atleast_2d(np.asarray(value))
            text = "\n".join(",".join(str(cell) for cell in row) for row in rows.tolist())
            return text.encode(), CSV
    raise UnacceptableError(f"The answer cannot be {accept!r}; accept one of {', '.join(SUPPORTED)}.")


def _plain(value: Any) -> Any:
    """Turn tensors, arrays and numpy numbers inside an answer into what JSON knows."""
    if hasattr(value, "detach"):
        value = value.detach().cpu()
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"an answer with a {type(value).__name__} cannot be written as JSON")
