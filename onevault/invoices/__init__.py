"""The documents of invoices: JSON from the database becomes text, HTML or PDF.

    read       JSON of the database -> `Document`          document.py
    text, html, pdf: `render(document)`, pure and without a database

The database has decided every figure; here they are put on paper. `view.py` says what stands where, once for all forms;
`amounts.py` writes figures, `words.py` what people have named. A form only lays out.
"""
