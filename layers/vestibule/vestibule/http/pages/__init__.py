"""What people's browsers see of the hub.

`face` says whose page it is, `style` turns an account's colours into readable
ones, `assets` holds the scripts, and `render` makes the answer.  Importing any
of them costs no template engine: Jinja2 is imported with the first page.
"""
