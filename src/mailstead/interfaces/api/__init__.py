"""REST API v1: everything that a person can do by hand, for programs; the shape is Forward Email's where it has one.

One file per noun in `endpoints`, each a Litestar controller with its request and response types; OpenAPI is made from
them. Endpoints call `administration` and the stores' public interfaces and nothing beneath them.
"""
