"""From the claims of a document to verdicts: one by one, each within a budget of its own, gathered in a report.

`judge.judge(document, *, only, skip, seed)` walks the formulas of a document in order and yields `(k, Judged)`, where k
is the number of the formula: `document.spans[k]`. It asks `only(k)` before it does anything with formula k, the reading
included; where the answer is no, the formula is read for what it defines, and not judged. A formula in `skip` is not
even read: reading it has cost a process its life. `workers` runs it in processes that can be killed.
"""
