"""A typed client of Mailstead's REST API v1, with nothing but the standard library.

    with Client("https://mail.example.test:4000", "mst_...") as mail:
        for alias in mail.list_domains_aliases("example.test"):
            print(alias["email"])

Log in with a user's token alone, or with an address and a password. Operations and types are made from the OpenAPI
document by `script/docs`.
"""

from mailstead_client.operations import Client
from mailstead_client.transport import ApiError, Page

__all__ = ["ApiError", "Client", "Page"]
