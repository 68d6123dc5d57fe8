"""HTTP/1.1 to the systems under httpx's types: a pool of connections, each with llhttp as its parser (httptools).

`http1` is the transport, `pool` who gets which connection, `connection` one of them, `answer_reader` bytes to answers,
`opening` how a connection comes about, through proxies too, `streaming` an answer that is read piece by piece.
"""

from service.systems.transport.http1 import Http1Transport

__all__ = ["Http1Transport"]
