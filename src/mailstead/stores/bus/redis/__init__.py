"""The bus on a Redis server (6.2 or later), below one namespace of its keys and channels."""
