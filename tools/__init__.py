"""Commands for operators and developers. Nothing here is shipped to Lambda."""
