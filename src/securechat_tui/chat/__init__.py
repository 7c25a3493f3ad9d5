"""The engine: conversations and their delivery, one stream of events. It knows no screen."""
