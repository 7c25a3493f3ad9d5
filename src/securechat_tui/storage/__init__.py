"""The profile on disk: folder and permissions, identity key, contacts, configuration."""
