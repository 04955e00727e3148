"""Mail as people and programs read it: lists, single messages, and HTML made harmless. Shared by web and API."""
