"""FETCH data: from the view, from stored columns, from the message's octets."""
