"""Letters as mails and text messages.

Pure: a letter in, bytes or text out, the same ones every time; who sends them,
when and how often is somebody else's business.  Nobody's name, title or address
can become a header, markup or a calendar property: each is made harmless in the
one place that writes it.
"""
