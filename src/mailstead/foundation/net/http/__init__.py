"""HTTP/1.1 on the socket host: ASGI applications with the host's limits, PROXY header, hot certificates and drain.

Parsing and the ASGI bridge are uvicorn's; sockets, TLS, timeouts and back-pressure are this package's neighbours, as
for every other protocol.
"""
