"""Tables of numbers from CSV files, with errors that name the line and the column."""

from __future__ import annotations

import csv
import difflib
import math
import os
from array import array
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from symdl.errors import DataError

__all__ = ["read_csv"]

Floats = npt.NDArray[np.float64]


def read_csv(
    path: str | os.PathLike[str], *, target: str | int, delimiter: str = ","
) -> tuple[Floats, Floats, tuple[str, ...]]:
    r"""A table of numbers with a header line, as inputs and target.

    Args:
        path: the file: UTF-8, a header with a name for each column, then one line a sample, every cell a finite number
            with a decimal point. Empty lines are skipped.
        target: the column to predict: its name, or its index (from 0; −1 is the last one).
        delimiter: between the cells; ";" is what spreadsheets write where the comma is the decimal sign.

    Returns:
        X of shape (N, columns − 1) and y of shape (N,), float64, and the names of the columns of X.

    Raises:
        DataError: a missing or empty file, no rows, no header, an unknown target, a line with too few or too many
            cells, a cell that is not a finite number; it names the file, the line, the column and the text.

    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder, "flats.csv")
    ...     _ = file.write_text("area,rooms,rent\n50,2,700\n72.5,3,980\n")
    ...     X, y, names = read_csv(file, target="rent")
    >>> X.tolist(), y.tolist(), names
    ([[50.0, 2.0], [72.5, 3.0]], [700.0, 980.0], ('area', 'rooms'))
    """
    file = os.fspath(path)
    if len(delimiter) != 1 or delimiter in '"\r\n':
        raise DataError(
            f"delimiter {delimiter!r}", why="it has to be a single character", remedy='pass ",", ";" or "\\t"'
        )
    records = _records(file, delimiter)
    header_line, header = next(records, (0, []))
    if not header:
        raise DataError("the file is empty", where=file, remedy="write a header line and one line a sample")
    names = _names(header, f"{file}, line {header_line}")
    column = _target(target, names, file, delimiter)

    cells = array("d")  # 8 bytes a number, where a list would take 32
    rows = 0
    for line, record in records:
        if len(record) != len(names):
            raise DataError(
                f"{len(record)} cells instead of {len(names)}",
                where=f"{file}, line {line}",
                why="each line needs one cell for each column of the header",
                remedy=f"correct the line; if a comma is the decimal sign, write a point{_hint(record, delimiter)}",
            )
        cells.extend(_number(text, f"{file}, line {line}, column {names[k]!r}") for k, text in enumerate(record))
        rows += 1
    if rows == 0:
        raise DataError("no rows below the header", where=file, remedy="add one line a sample")

    table = np.array(cells, dtype=np.float64).reshape(rows, len(names))
    return np.delete(table, column, axis=1), table[:, column].copy(), names[:column] + names[column + 1 :]


def _records(file: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """The lines that are not empty, with their numbers (from 1)."""
    try:
        with open(file, encoding="utf-8-sig", newline="") as text:  # -sig: Excel begins its files with a BOM
            reader = csv.reader(text, delimiter=delimiter, strict=True)
            try:
                for record in reader:
                    if any(cell.strip() for cell in record):
                        yield reader.line_num, record
            except csv.Error as error:
                raise DataError(
                    "the line is not CSV",
                    where=f"{file}, line {reader.line_num}",
                    why=str(error),
                    remedy="close every quotation mark, and write a quotation mark inside quotes twice",
                ) from error
            except UnicodeDecodeError as error:
                raise DataError(
                    "the file is not UTF-8 text",
                    where=f"{file}, after line {reader.line_num}",
                    why=f"byte 0x{error.object[error.start]:02x} does not fit",
                    remedy='save it again as "CSV UTF-8"',
                ) from error
    except FileNotFoundError as error:
        raise DataError("the file does not exist", where=file, remedy="check the path") from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        why = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise DataError(
            "the file cannot be read", where=file, why=why, remedy="pass a file that you may read"
        ) from error


def _names(header: list[str], where: str) -> tuple[str, ...]:
    names = tuple(cell.strip() for cell in header)
    if all(_parse(name) is not None for name in names):
        raise DataError(
            "the file has no header",
            where=where,
            why="its first line holds only numbers, and would be lost as names",
            remedy="put a line with the names of the columns on top",
        )
    for k, name in enumerate(names):
        if not name:
            raise DataError(f"column {k} (counted from 0) has no name", where=where, remedy="name it in the header")
        if name in names[:k]:
            raise DataError(
                f"two columns are named {name!r}",
                where=where,
                why=f"they are columns {names.index(name)} and {k} (counted from 0)",
                remedy="rename one of them",
            )
    return names


def _target(target: str | int, names: tuple[str, ...], file: str, delimiter: str) -> int:
    """The index of the target column, from 0."""
    listed = ", ".join(map(repr, names[:12])) + (", …" if len(names) > 12 else "")
    if isinstance(target, str):
        if target not in names:
            close = difflib.get_close_matches(target, names, n=1)
            raise DataError(
                f"no column is named {target!r}",
                where=file,
                why=f"the columns are {listed}",
                remedy=(f"did you mean {close[0]!r}?" if close else "pass one of these names, or an index")
                + _hint(names, delimiter),
            )
        column = names.index(target)
    else:
        if not -len(names) <= target < len(names):
            raise DataError(
                f"no column has the index {target}",
                where=file,
                why=f"there are {len(names)}, so indices run from 0 to {len(names) - 1}: {listed}",
                remedy="pass one of these, or a name" + _hint(names, delimiter),
            )
        column = target % len(names)
    if len(names) == 1:
        raise DataError(
            "there is one column only",
            where=file,
            why=f"beside the target {names[0]!r} nothing is left to learn from",
            remedy="add the columns of the inputs" + _hint(names, delimiter),
        )
    return column


def _hint(cells: tuple[str, ...] | list[str], delimiter: str) -> str:
    """What to add to a remedy where a line that did not split holds another delimiter."""
    other = next((sign for sign in (";", "\t", ",") if sign != delimiter and any(sign in cell for cell in cells)), None)
    return f"; if the cells are separated by {other!r}, pass delimiter={other!r}" if other else ""


def _number(text: str, where: str) -> float:
    number = _parse(text)
    if number is None:
        shown = text if len(text) <= 40 else text[:39] + "…"
        raise DataError(
            f"{shown!r} is not a number" if text.strip() else "the cell is empty",
            where=where,
            why="every cell below the header has to be a number",
            remedy="correct the cell, fill it or remove the line; turn words into numbers or drop their column",
        )
    if not math.isfinite(number):
        raise DataError(
            f"{text.strip()[:40]!r} is not a finite number",
            where=where,
            why="NaN and infinity cannot be trained on",
            remedy="correct the cell, or remove the line",
        )
    return number


def _parse(text: str) -> float | None:
    # Python reads "1_000" as a number; in a table it is a slip
    if "_" in text:
        return None
    try:
        return float(text)
    except ValueError:
        return None
