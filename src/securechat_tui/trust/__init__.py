"""Whom a key belongs to: pins and their states, randomart."""
