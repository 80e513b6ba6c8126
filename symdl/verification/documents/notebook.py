"""Jupyter notebooks: the source of their Markdown cells."""

from __future__ import annotations

import json

from symdl.errors import DataError


def markdown_cells(text: str, file: str) -> list[tuple[int, str]]:
    """Number (1 for the first cell of any kind) and source of each Markdown cell.

    Args:
        text: the notebook as JSON, format 3 or 4.
        file: its name, for errors.

    Raises:
        DataError: no JSON, or JSON of something else.

    >>> markdown_cells('{"cells": [{"cell_type": "code"}, {"cell_type": "markdown", "source": ["a\\\\n", "b"]}]}', "")
    [(2, 'a\\nb')]
    """
    try:
        notebook = json.loads(text)
    except RecursionError:
        raise _broken(file, "its JSON is nested too deeply") from None
    except json.JSONDecodeError as error:
        raise _broken(file, f"line {error.lineno}, column {error.colno}: {error.msg}") from None
    except ValueError:
        raise _broken(file, "its JSON holds a number that is too long") from None
    cells = notebook.get("cells") if isinstance(notebook, dict) else None
    if cells is None and isinstance(notebook, dict) and isinstance(sheets := notebook.get("worksheets"), list):
        cells = [cell for sheet in sheets if isinstance(sheet, dict) for cell in sheet.get("cells") or ()]
    if not isinstance(cells, list):
        raise _broken(file, "its JSON has no list of cells")
    found = []
    for number, cell in enumerate(cells, 1):
        if not isinstance(cell, dict):
            raise _broken(file, f"cell {number} is no object")
        if cell.get("cell_type") == "markdown":
            found.append((number, _source(cell.get("source", ""), number, file)))
    return found


def _source(source: object, number: int, file: str) -> str:
    if isinstance(source, str):
        return source
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        return "".join(source)
    raise _broken(file, f"the source of cell {number} is no text")


def _broken(file: str, why: str) -> DataError:
    return DataError("this is no Jupyter notebook", where=file, why=why, remedy="save it from Jupyter again")
