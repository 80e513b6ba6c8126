"""What a formula of a document means: its tree and the names around it become SymPy expressions and claims."""
