"""A collection's indexes in MongoDB."""

from typing import Any

from pymongo import ASCENDING, IndexModel

from mailstead.stores.documents.interface import CollectionSpec, Index
from mailstead.stores.documents.mongodb.filter import KINDS
from mailstead.stores.documents.mongodb.names import to_field


def index_models(spec: CollectionSpec) -> list[IndexModel]:
    """What to create; MongoDB leaves alone what it has already."""
    models: dict[str, IndexModel] = {}
    for index in spec.indexes:
        name = index_name(index)
        models[name] = _model(index, name)
    return list(models.values())


def index_name(index: Index) -> str:
    """The index's name, the same for every program that asks for the same."""
    return ("unique_" if index.unique else "by_") + "_".join(index.fields)


def _model(index: Index, name: str) -> IndexModel:
    fields = [to_field(field) for field in index.fields]
    options: dict[str, Any] = {"name": name}
    if index.unique:
        # Documents that lack a field, or have null there, are not compared.
        options["unique"] = True
        options["partialFilterExpression"] = {field: {"$type": list(KINDS)} for field in fields}
    elif "_id" not in fields:
        fields.append("_id")  # ties are ordered by the id: a page is then read straight from the index
    return IndexModel([(field, ASCENDING) for field in fields], **options)
