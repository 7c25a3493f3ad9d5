"""Private chat between two terminals, with no account and no server to trust."""

__version__ = "0.1.0"
