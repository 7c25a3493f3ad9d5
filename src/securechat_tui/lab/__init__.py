"""The lab: the ancestors' protocols on the wire, the attacks on them, and the product's own beside them.

Quarantined. Nothing here is offered for private talk, and nothing but the command line imports it. A
peer (``peer.py``) is one side of one protocol, without sockets and clock; a line (``line.py``) carries
its bytes; a scene (``scene.py``) puts two peers and a man in the middle on the loopback interface.
"""
