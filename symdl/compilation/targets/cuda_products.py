"""Matrix products of one block in its shared memory: each thread computes a tile, from vectors of 16 bytes.

A sum is added up by one thread, in the order of its terms.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product as pairs

from symdl.compilation.targets.printer import ScalarPrinter
from symdl.compilation.targets.scalars import UNSIGNED, indented

#: Vectors of terms that a thread takes at a time: more in flight take registers, and text takes long to compile.
AHEAD = 1
#: Rows and columns of a tile.
HEIGHTS = WIDTHS = (1, 2, 4, 8)
#: At most so many numbers in a tile: more do not fit into the registers of a thread.
LARGEST = 16
#: What reading a number costs beside a multiplication: of a row of the left factor, which the threads of a warp have in
#: common, of a column of the right one, which they don't, and of either where it is no part of a vector.
LEFT, RIGHT, ALONE = 1.0, 2.0, 3.0
#: What else a turn of the loop costs.
TURN = 2.0


@dataclass(frozen=True)
class Factor:
    """A factor in memory: its array and first number, steps along its own axis and along the terms, and its length.

    `vectors` says whether it can be read in vectors of so many numbers; 1 where it can't.
    """

    array: str
    start: str
    step: int
    along: int
    length: int
    vectors: int

    @property
    def by_terms(self) -> bool:
        """Whether a vector holds several terms."""
        return self.vectors > 1 and self.along == 1

    def by_entries(self, count: int) -> bool:
        """Whether a vector holds entries of one term, for tiles with so many."""
        fits = count % self.vectors == 0 and self.length % count == 0
        return self.vectors > 1 and self.step == 1 and self.along != 1 and fits

    def cost(self, count: int, alike: float) -> float:
        return count * (alike if self.by_terms or self.by_entries(count) else ALONE)


@dataclass(frozen=True)
class Sum:
    """One number of a tile: its variable, its row and column, and the condition under which there is such a number."""

    name: str
    row: str
    column: str
    test: str


@dataclass(frozen=True)
class Tiles:
    """A product: left rows by right columns, over so many terms, by so many threads."""

    left: Factor
    right: Factor
    terms: int
    threads: int
    height: int
    width: int

    @property
    def high(self) -> int:
        return -(-self.left.length // self.height)

    @property
    def wide(self) -> int:
        return -(-self.right.length // self.width)

    @property
    def cost(self) -> float:
        turns = -(-self.high * self.wide // self.threads)
        reads = self.left.cost(self.height, LEFT) + self.right.cost(self.width, RIGHT)
        return turns * (self.height * self.width + reads + TURN)

    def lines(self, inner: list[str]) -> list[str]:
        """The loop over tiles; `inner` is what a thread does with the sums of one."""
        count = self.high * self.wide
        body = [
            f"row, column = quotient(tile, {self.wide}), remainder(tile, {self.wide})"
            if self.wide > 1
            else "row, column = tile, 0",
            *self._entries(self.left, self.height, self.high, "row"),
            *self._entries(self.right, self.width, self.wide, "column"),
            *(f"s{r}_{c} = real(0.0)" for r, c in pairs(range(self.height), range(self.width))),
            *self._terms(),
            *inner,
        ]
        if count == self.threads:
            return ["tile = thread", *body]
        if count < self.threads:
            return [f"if thread < {count}:", *indented(["tile = thread", *body])]
        return [f"for tile in range(thread, {count}, {self.threads}):", *indented(body)]

    def sums(self) -> Iterator[Sum]:
        for r, c in pairs(range(self.height), range(self.width)):
            tests = []
            if self.left.length % self.height:
                tests.append(f"row{r} < {self.left.length}")
            if self.right.length % self.width:
                tests.append(f"column{c} < {self.right.length}")
            yield Sum(f"s{r}_{c}", f"row{r}", f"column{c}", " and ".join(tests))

    def _entries(self, factor: Factor, count: int, tiles: int, name: str) -> list[str]:
        """Which rows or columns the tile has, and where the first term of each lies."""
        lines, letter = [], name[0]
        for k in range(count):
            if factor.by_entries(count):
                text = f"{name}*{factor.vectors} + {k // factor.vectors * tiles * factor.vectors + k % factor.vectors}"
            else:
                text = f"{name} + {k * tiles}" if k else name
            lines.append(f"{name}{k} = {text}")
            inside = f"min({name}{k}, {factor.length - 1})" if factor.length % count else f"{name}{k}"
            if not factor.by_entries(count) or k % factor.vectors == 0:
                step = f"{inside}*{factor.step}" if factor.step != 1 else inside
                lines.append(f"at_{letter}{k} = {factor.start} + {step}")
        return lines

    def _terms(self) -> list[str]:
        step = max(f.vectors if f.by_terms else 1 for f in (self.left, self.right))
        ahead = step * AHEAD if self.terms % (step * AHEAD) == 0 or step == 1 else step
        whole = self.terms // ahead * ahead
        lines: list[str] = []
        if whole:
            lines += [f"for k in range(0, {whole}, {ahead}):", *indented(self._some(ahead, True))]
        if whole < self.terms:
            lines += [f"for k in range({whole}, {self.terms}):", *indented(self._some(1, False))]
        return lines

    def _some(self, count: int, vectors: bool) -> list[str]:
        """The products of so many terms from `k` on."""
        lines = [
            *self._read(self.left, self.height, count, "row", vectors),
            *self._read(self.right, self.width, count, "column", vectors),
        ]
        numbers = pairs(range(count), range(self.height), range(self.width))
        return [*lines, *(f"s{r}_{c} += r{r}_{k}*c{c}_{k}" for k, r, c in numbers)]

    def _read(self, factor: Factor, count: int, terms: int, name: str, vectors: bool) -> list[str]:
        letter, many = name[0], factor.vectors
        lines: list[str] = []

        def at(entry: int, k: int) -> str:
            term = f"(k + {k})" if k else "k"
            return (
                f"at_{letter}{entry} + {term}*{factor.along}" if factor.along != 1 else f"at_{letter}{entry} + {term}"
            )

        for entry, k in pairs(range(count), range(terms)):
            if factor.by_entries(count):
                if entry % many == 0:
                    targets = ", ".join(f"{letter}{entry + j}_{k}" for j in range(many))
                    lines.append(f"{targets} = load({factor.array}, {at(entry, k)})")
            elif factor.by_terms and vectors:
                if k % many == 0:
                    targets = ", ".join(f"{letter}{entry}_{k + j}" for j in range(many))
                    lines.append(f"{targets} = load({factor.array}, {at(entry, k)})")
            else:
                lines.append(f"{letter}{entry}_{k} = {factor.array}[{UNSIGNED}({at(entry, k)})]")
        return lines


def tiled(left: Factor, right: Factor, terms: int, threads: int) -> Tiles:
    """The product with the tiles that take least."""
    some = ((h, w) for h, w in pairs(HEIGHTS, WIDTHS) if h * w <= LARGEST)
    return min((Tiles(left, right, terms, threads, h, w) for h, w in some), key=lambda t: t.cost)


class QuickPrinter(ScalarPrinter):
    """Prints for float32 quotients and roots that a GPU has instructions for: off by 2 and by 1 ulps at most.

    >>> import sympy
    >>> x = sympy.Symbol("x", positive=True)
    >>> QuickPrinter("float32").doprint(x / (1 + sympy.sqrt(x)))
    'ratio(x, ((root(x) + real(1.0))))'
    """

    def divided(self, above: str, below: str) -> str:
        return f"ratio({above}, {below})" if self.wrap else super().divided(above, below)

    def root(self, inside: str) -> str:
        return f"root({inside})" if self.wrap else super().root(inside)


#: PTX says how far they are off: `div.full` by 2 ulps over its whole range, `sqrt.approx` by a relative 2^−23.
QUICK = '''
if config.ENABLE_CUDASIM:

    def ratio(a, b):
        with np.errstate(divide="ignore", invalid="ignore"):
            return real(a/b)

    def root(x):
        with np.errstate(invalid="ignore"):
            return np.sqrt(real(x))

else:

    def instruction(text, count):
        """One instruction of PTX, as what emits a call of it."""

        def emitted(context, builder, signature, arguments):
            kind = ir.FunctionType(ir.FloatType(), [ir.FloatType()]*count)
            return builder.call(ir.InlineAsm(kind, text, "=f" + ",f"*count), arguments)

        return emitted

    @intrinsic
    def ratio(typing, a, b):
        return types.float32(types.float32, types.float32), instruction("div.full.f32 $0, $1, $2;", 2)

    @intrinsic
    def root(typing, x):
        return types.float32(types.float32), instruction("sqrt.approx.f32 $0, $1;", 1)
'''


#: Reads and writes of vectors: NVIDIA's compiler makes none of single numbers. Numba's simulator has no machine code.
VECTORS = '''
if config.ENABLE_CUDASIM:

    def load(array, place):
        """The numbers of a vector."""
        return tuple(array[place + k] for k in range(WIDTH))

    def store(array, place, VALUES):
        """Put numbers into a vector."""
        array[place : place + WIDTH] = VALUES

else:
    from llvmlite import ir
    from numba.cuda.extending import intrinsic

    def vector_at(context, builder, kind, array, place):
        """Where a vector lies, and its type."""
        made = context.make_array(kind)(context, builder, array)
        vector = ir.VectorType(context.get_data_type(kind.dtype), WIDTH)
        return builder.bitcast(builder.gep(made.data, [place]), vector.as_pointer()), vector

    @intrinsic
    def load(typing, array, place):
        """The numbers of a vector."""
        signature = types.UniTuple(array.dtype, WIDTH)(array, types.int64)

        def emitted(context, builder, signature, arguments):
            place, _ = vector_at(context, builder, signature.args[0], *arguments)
            found = builder.load(place, align=16)
            parts = [builder.extract_element(found, ir.Constant(ir.IntType(32), k)) for k in range(WIDTH)]
            return context.make_tuple(builder, signature.return_type, parts)

        return signature, emitted

    @intrinsic
    def store(typing, array, place, VALUES):
        """Put numbers into a vector."""
        signature = types.void(array, types.int64, *[array.dtype]*WIDTH)

        def emitted(context, builder, signature, arguments):
            place, vector = vector_at(context, builder, signature.args[0], *arguments[:2])
            value = ir.Constant(vector, ir.Undefined)
            for k in range(WIDTH):
                value = builder.insert_element(value, arguments[2 + k], ir.Constant(ir.IntType(32), k))
            builder.store(value, place, align=16)

        return signature, emitted
'''


def vectors(width: int) -> str:
    """The source of `load` and `store` for vectors of so many numbers."""
    return VECTORS.replace("WIDTH", str(width)).replace("VALUES", ", ".join("abcdefgh"[:width])).strip()


def quick(text: str) -> list[str]:
    """The source of the instructions that code calls, behind that of vectors."""
    return [QUICK.strip()] if "ratio(" in text or "root(" in text else []
