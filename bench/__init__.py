"""Benchmarks: what the program costs beside its ancestors, TLS, Noise, Olm and other widgets.

``make bench`` runs every ``ladder_*`` and ``screen_*`` module in a process of its own; each prints its
section and puts it into ``bench/RESULTS.md``. One alone: ``python -m bench.ladder_records``.
"""
