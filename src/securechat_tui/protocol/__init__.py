"""The secure session, pure: bytes in, events out; no sockets, files, clock or screen."""
