"""The people of the vectors. Their private keys are public: they are for tests and nothing else."""

from functools import cache

from vector_files import Case, cases_of

from securechat_tui.protocol.identity import IdentityKey

BITS = {
    "alice": 3072,
    "bob": 4096,
    "carol": 3072,
    "alice before": 3072,
    "bob before": 3072,
    "bob long before": 3072,
}
"""The names and sizes of the keys; the old ones name their successors in rotation statements."""


@cache
def identity(name: str) -> IdentityKey:
    """Return a person's key: the one on file, else a new one."""
    for case in cases_of("identity"):
        if case["id"] == name:
            return IdentityKey.from_pem(case["test_private_key"].encode())
    return IdentityKey.generate(BITS[name])


def identities() -> list[Case]:
    """Return the cases of the file."""
    cases = []
    for name, bits in BITS.items():
        key = identity(name)
        cases.append(
            {
                "id": name,
                "bits": bits,
                "test_private_key": key.to_pem().decode(),
                "spki": key.public.spki.hex(),
                "fingerprint": key.public.fingerprint.hex(),
                "shown": str(key.public.fingerprint),
                "short": key.public.fingerprint.short,
            }
        )
    return cases
