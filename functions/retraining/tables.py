"""Reading an untrusted CSV file column by name, row by row."""

import csv
import io
from collections.abc import Callable, Iterator, Sequence


class Table:
    """A CSV file.

    Parameters
    ----------
    data : bytes
        The file; UTF-8, with or without a byte order mark.
    required : sequence of str
        Columns that must be there.
    wanted : callable
        Whether a further column is read, too; such columns follow the required ones, in the file's order.

    Attributes
    ----------
    fault : str
        What stopped the reading, as the end of a sentence; empty while nothing has. Look at it after `rows`.
    further : list of str
        The further columns, known once the first row was read.
    """

    def __init__(
        self, data: bytes, required: Sequence[str], wanted: Callable[[str], bool] = lambda _: False
    ) -> None:
        self.fault = ""
        self.further: list[str] = []
        self._rows = self._read(data, required, wanted)

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Yield line number and the columns asked for, stripped."""
        return self._rows

    def _read(
        self, data: bytes, required: Sequence[str], wanted: Callable[[str], bool]
    ) -> Iterator[tuple[int, list[str]]]:
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            self.fault = f"is not a text file (byte {error.start} is not UTF-8)"
            return
        if not text.strip():
            self.fault = "is empty"
            return
        reader = csv.reader(io.StringIO(text, newline=""))
        del text
        try:
            header = [name.strip() for name in next(reader)]
            lacking = [name for name in required if name not in header]
            if lacking:
                first_line = ",".join(header)[:100]
                self.fault = f"lacks the column {', '.join(lacking)}; its first line is {first_line!r}"
                return
            self.further = [name for name in header if name not in required and wanted(name)]
            repeated = next((name for name in self.further if header.count(name) > 1), None)
            if repeated:
                self.fault = f"has the column {repeated[:60]} twice"
                return
            positions = [header.index(name) for name in (*required, *self.further)]
            width = len(header)
            for row in reader:
                if not row:
                    continue
                if len(row) != width:
                    self.fault = (
                        f"has {len(row)} fields in line {reader.line_num} where the header has {width}"
                    )
                    return
                yield reader.line_num, [row[position].strip() for position in positions]
        except (csv.Error, StopIteration) as error:
            self.fault = f"cannot be read as CSV: {error}"
