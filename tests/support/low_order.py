"""The points of low order on Curve25519, as a peer might send them."""

_PRIME = 2**255 - 19
_ORDER_EIGHT = (
    325606250916557431795983626356110631294008115727848805560023387167927233504,
    39382357235489614581723060781553021112529911719440698176882885853963445705823,
)
_LOW_ORDER = [0, 1, *_ORDER_EIGHT, _PRIME - 1, _PRIME, _PRIME + 1]
LOW_ORDER_ENCODINGS = [(value | top << 255).to_bytes(32, "little") for value in _LOW_ORDER for top in (0, 1)]
"""All of them, the non-canonical encodings too, each also with the top bit, which is to be ignored."""
