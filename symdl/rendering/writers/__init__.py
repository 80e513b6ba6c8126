"""A neutral document as LaTeX, Markdown, HTML or PDF: one writer each."""
