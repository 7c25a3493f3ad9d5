"""Appendix C.3 of docs/protocol.md: every value of a transcript, computed anew from the document."""

from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from reference_comparison import COMMIT, REPLY, REVEAL, code_number, commitment, shown
from reference_crypto import (
    PREFIX,
    Fields,
    Identity,
    PublicIdentity,
    encode,
    expand,
    extract,
    hash_of,
    lp16,
    oaep_padding,
    seal,
    sha256,
    u,
    unseal,
)
from reference_handshake import Agreed, Contact, Master, call_tag, exchange, find_caller, pad, version_list
from reference_messages import (
    Running,
    climb,
    leaf_of,
    steps,
    text_of,
    unsigned_item,
)
from reference_records import Direction
from reference_values import (
    Case,
    batch_signed,
    chain_start,
    conversation,
    h,
    header_of,
    padded_size,
    record_ad,
    same,
)


class Handshake:
    """Sections 8 and 9.3, from the four frames and the private keys."""

    def __init__(self, case: Case, people: dict[str, Identity]) -> None:
        self.case, self.on_file = case, case["handshake"]
        self.guest, self.host = people[case["guest"]], people[case["host"]]
        self.people = people
        self.k1, self.k2, self.e_g, self.fin_h, self.fin_g = (
            h(one["frame"])[5:] for one in case["frames"][:5]
        )

    def same(self, **values: object) -> None:
        """Compare values with those on file."""
        for name, value in values.items():
            same(name, value, self.on_file[name])

    def check(self) -> Agreed:
        """Compare everything; return what both sides have."""
        self._frames()
        self._keys()
        self._host_section()
        self._guest_section()
        return self._master()

    def _frames(self) -> None:
        frames = self.case["frames"][:5]
        same("types", [int(one["frame"][:2], 16) for one in frames], list(b"KKSFF"))
        same("names", [one["name"] for one in frames], ["K1", "K2", "S", "FIN", "FIN"])
        same("sides", [one["from"] for one in frames], ["guest", "host", "guest", "host", "guest"])
        core = self.k1[:-64]
        self.same(core=core, tags=[self.k1[-64:-32], self.k1[-32:]])
        secrets = self.case["secrets"]["guest"]
        newest, confirmed = secrets["newest"], secrets["confirmed"]
        for place, secret in enumerate((newest, confirmed if confirmed != newest else None)):
            if secret is not None:
                same("tag", call_tag(h(secret), core), self.on_file["tags"][place])
        kept = {name: secret and h(secret) for name, secret in self.case["secrets"]["host"].items()}
        caller = find_caller([Contact(self.guest, **kept)], core, self.k1[-64:])
        same("shown", caller and caller[1], self.case["shown"])

    def _keys(self) -> None:
        x_g = X25519PrivateKey.from_private_bytes(h(self.on_file["guest_x25519_private"]))
        x_h = X25519PrivateKey.from_private_bytes(h(self.on_file["host_x25519_private"]))
        kem = MLKEM768PrivateKey.from_seed_bytes(h(self.on_file["guest_mlkem_seed"]))
        public_g, public_h = x_g.public_key().public_bytes_raw(), x_h.public_key().public_bytes_raw()
        versions = self.case["versions"]
        same(
            "K1",
            version_list(versions["guest"]) + public_g + kem.public_key().public_bytes_raw(),
            self.k1[:-64].hex(),
        )
        chosen = u(max({*versions["guest"]} & {*versions["host"]}), 2)
        ct = self.k2[34:1122]
        same("K2", chosen + public_h, self.k2[:34].hex())
        self.ss_mlkem, self.ss_x25519 = kem.decapsulate(ct), exchange(x_g, public_h)
        self.same(guest_x25519=public_g, host_x25519=public_h, ct=ct)
        self.same(ss_mlkem=self.ss_mlkem, ss_x25519=self.ss_x25519)
        self.same(ss_x25519=exchange(x_h, public_g))
        self.t1 = hash_of(b"T1", self.k1, self.k2[:1122])
        self.t2 = hash_of(b"T2", self.t1, self.k2[1122:])
        hs = extract(self.t1, self.ss_mlkem + self.ss_x25519)
        self.k_h, self.k_g = expand(hs, b"host section key"), expand(hs, b"guest section key")
        self.same(t1=self.t1, hs=hs, k_h=self.k_h, t2=self.t2, k_g=self.k_g)

    def _host_section(self) -> None:
        section = unseal(self.k_h, self.k2[1122:], self.t1, "E_H")
        versions, rotations = version_list(self.case["versions"]["host"]), self._rotations("host_rotations")
        signature = h(self.on_file["host_signature"])
        names = (self.t1, self.host.fp, self.host.spki, versions, rotations)
        made = pad(lp16(self.host.spki) + versions + rotations + lp16(signature), 2560)
        self.same(host_section=section, host_signed=encode(PREFIX + b"host signature", *names))
        same("host_section", made, section.hex())
        self.host.verify("host_signature", signature, b"host signature", *names)

    def _guest_section(self) -> None:
        section, label = unseal(self.k_g, self.e_g, self.t2, "E_G"), hash_of(b"oaep", self.t2)
        oc, signature = h(self.on_file["oc"]), h(self.on_file["guest_signature"])
        self.o = self.host.private.decrypt(oc, oaep_padding(label))
        rotations = self._rotations("guest_rotations")
        names = (self.t2, sha256(oc), self.guest.fp, self.host.fp, self.guest.spki, rotations)
        made = pad(lp16(self.guest.spki) + lp16(oc) + rotations + lp16(signature), 2816)
        self.same(o=self.o, oaep_label=label, guest_section=section)
        self.same(guest_signed=encode(PREFIX + b"guest signature", *names))
        same("guest_section", made, section.hex())
        self.guest.verify("guest_signature", signature, b"guest signature", *names)

    def _rotations(self, name: str) -> bytes:
        """Section 9.3: each statement verifies under the old key, and leads to the one that is shown."""
        found, old = b"", {one.fp: one for one in self.people.values()}
        for one in self.on_file[name]:
            names = (h(one["old"]), h(one["new"]), u(one["counter"], 4))
            same("signed", encode(PREFIX + b"rotation", *names), one["signed"])
            old[names[0]].verify("rotation", h(one["signature"]), b"rotation", *names)
            found += b"".join(names) + lp16(h(one["signature"]))
        return u(len(self.on_file[name]), 1) + found

    def _master(self) -> Agreed:
        shared = self.ss_mlkem + self.ss_x25519 + self.o
        master = Master(self.t2, self.e_g, self.guest.fp, self.host.fp, shared)
        agreed = master.agreed(is_host=False, contact=Contact(self.host))
        keys = {
            f"fin_{role}_key": expand(master.master, f"fin {role} key".encode()) for role in ("host", "guest")
        }
        self.same(
            t3=master.t3, master=master.master, fin_host=master.fin_host, fin_guest=master.fin_guest, **keys
        )
        self.same(root=agreed.root, session_id=agreed.session_id, reconnect=agreed.reconnect)
        self.same(exporter=expand(master.master, b"exporter"))
        same("FIN_H", self.fin_h, self.on_file["fin_host"])
        same("FIN_G", self.fin_g, self.on_file["fin_guest"])
        return agreed


# C.3: the records


class Reader:
    """Both directions of a session, with the keys of both sides; ``books`` go on from an earlier one."""

    def __init__(self, case: Case, people: dict[str, Identity], books: "dict[str, Running]") -> None:
        self.case, self.books = case, books
        self.agreed = Handshake(case, people).check()
        self.people: dict[str, PublicIdentity] = {role: people[case[role]] for role in ("guest", "host")}
        fingerprints = [one.fp for one in self.people.values()]
        self.conversation = conversation(*fingerprints)
        same("conversation", self.conversation, case["conversation"])
        self.root, self.epoch, self.first = self.agreed.root, 0, b""
        self.steps: dict[int, bytes] = {}
        self.ways = {
            role: Direction(self.agreed.session_id, role == "host", self.root) for role in ("guest", "host")
        }

    def check(self) -> None:
        """Every record."""
        for frame in self.case["frames"][5:]:
            self._record(frame, self.ways[frame["from"]])

    def _record(self, frame: Case, way: Direction) -> None:
        data = h(frame["frame"])
        same("frame", data[:5], (b"M" + u(len(data) - 5, 4)).hex())
        epoch = frame["epoch"]
        if epoch not in way.chains:
            way.admit(epoch, self.root)
        way.drop_before(epoch)
        key, after = Direction.step_of(way.chains[epoch])
        same("sequence", way.sequence, frame["sequence"])
        same("chain", way.chains[epoch], frame["chain"])
        same("record_key", key, frame["record_key"])
        same("chain_after", after, frame["chain_after"])
        ad = record_ad(self.agreed.session_id, way.number, epoch, way.sequence)
        same("ad", ad, frame["ad"])
        opened, payload = way.open(data[5:])
        same("epoch", opened, epoch)
        same("payload", payload, frame["payload"])
        same("padded", padded_size(len(payload)), frame["padded"])
        plaintext = (u(len(payload), 4) + payload).ljust(frame["padded"], b"\0")
        same("record", u(epoch, 4) + seal(key, plaintext, ad), data[5:].hex())
        self._payload(frame, payload)

    def _payload(self, frame: Case, payload: bytes) -> None:
        fields = Fields(payload)
        kind = fields.number(1)
        same("name", NAMES[kind], frame["name"])
        role, details = frame["from"], {name: frame[name] for name in DETAILS if name in frame}
        takers: dict[int, Callable[[str, Case, Fields], None]] = {
            1: self._hello,
            2: self._resume,
            3: self._signed,
            4: self._unsigned,
            5: self._signature,
            6: self._acknowledgement,
            7: self._gone,
            13: self._first,
            14: self._second,
            15: self._ping,
        }
        if kind in takers:
            takers[kind](role, details.get(next(iter(details), "")) or frame, fields)
        elif kind in {COMMIT, REPLY, REVEAL}:
            self._compared(kind, frame, fields.take(32))
        elif kind in {12, 17}:
            same("reason", fields.number(1), frame["reason"])
        fields.end()

    def _hello(self, _: str, case: Case, fields: Fields) -> None:
        same("name", fields.lp16(256).decode(), case["name_shown"])
        same("time", fields.number(8), case["time_ms"])
        same("flags", fields.number(1), case["flags"])

    def _resume(self, role: str, case: Case, fields: Fields) -> None:
        for name, size in (("conversation", 32), ("generation", 16), ("peer_generation", 16)):
            same(name, fields.take(size), case[name])
        same("high", fields.number(8), case["high"])
        same("running", fields.take(32), case["running"])
        book = self.books.get(role)
        generation = h(case["generation"])
        if (
            book is None
            or book.hashes[0] != Running(self.conversation, self.people[role].fp, generation).hashes[0]
        ):
            self.books[role] = Running(self.conversation, self.people[role].fp, generation)

    def _signed(self, role: str, case: Case, fields: Fields) -> None:
        header, salt, index, count = fields.take(279), fields.take(32), fields.number(1), fields.number(1)
        path = [fields.take(32) for _ in range(steps(index, count))]
        content = fields.rest()
        same("header", header, case["header"])
        same("salt", salt, case["salt"])
        same("place", [index, count], [case["index"], case["count"]])
        same("path", path, case["path"])
        same("content", content, case["content"])
        text_of(content)
        item, leaf = hash_of(b"header hash", header), leaf_of(header)
        same("header_hash", item, case["header_hash"])
        same("leaf", leaf, case["leaf"])
        same("root", climb(leaf, index, count, path), self.batch[1].hex())
        same("count", count, self.batch[0])
        names = case["header_fields"]
        seen = names["seen"]
        flat = {**names, "seen": [seen["generation"], seen["number"], seen["header_hash"]]}
        same("header_fields", header, header_of(flat).hex())
        same("content_hash", hash_of(b"content", salt, content), names["content_hash"])
        self._count(role, case, int.from_bytes(header[143:151], "big"), item)

    def _unsigned(self, role: str, case: Case, fields: Fields) -> None:
        generation, number, claimed, content = fields.take(16), fields.take(8), fields.take(8), fields.rest()
        same("generation", generation, case["generation"])
        same("claimed_ms", int.from_bytes(claimed, "big"), case["claimed_ms"])
        same("content", content, case["content"])
        item = unsigned_item(generation, number, claimed, content)
        same("item", item, case["item"])
        self._count(role, case, int.from_bytes(number, "big"), item)

    def _gone(self, role: str, case: Case, fields: Fields) -> None:
        same("generation", fields.take(16), case["generation"])
        number, signed, item = fields.number(8), fields.number(1), fields.take(32)
        same("signed", bool(signed), case["signed"])
        same("item", item, case["item"])
        self._count(role, case, number, item)

    def _count(self, role: str, case: Case, number: int, item: bytes) -> None:
        """Section 13.5: the running hash; a message that is written again keeps its number."""
        book = self.books[role]
        same("number", number, case["number"])
        if number == book.high + 1:
            book.add(item)
        running = book.hashes[number] if number <= book.high else None
        same("running", running, case["running"])

    def _signature(self, role: str, case: Case, fields: Fields) -> None:
        count, root, signature = fields.number(1), fields.take(32), fields.lp16(512)
        same("count", count, case["count"])
        same("root", root, case["root"])
        same("signature", signature, case["signature"])
        same("signed", batch_signed(self.conversation, count, root), case["signed"])
        names = (self.conversation, u(count, 1), root)
        self.people[role].verify("signature", signature, b"message signature", *names)
        self.batch = count, root

    def _acknowledgement(self, role: str, case: Case, fields: Fields) -> None:
        other = self.books["host" if role == "guest" else "guest"]
        same("generation", fields.take(16), case["generation"])
        high, running = fields.number(8), fields.take(32)
        same("high", high, case["high"])
        same("running", running, case["running"])
        same("running", other.hashes[high], case["running"])

    def _compared(self, kind: int, frame: Case, value: bytes) -> None:
        """Section 12.4: a REVEAL opens the COMMIT, and both sides know the code."""
        same("value", value, frame["value"])
        if kind == REVEAL:
            same("commitment", commitment(self.agreed.session_id, value), self.steps[COMMIT].hex())
            names = self.people["guest"].fp, self.people["host"].fp
            number = code_number(self.agreed.session_id, value, self.steps[REPLY], *names)
            same("code", shown(number), frame["code"])
        self.steps[kind] = value

    def _ping(self, _: str, case: Case, fields: Fields) -> None:
        same("answer", bool(fields.number(1)), case["answer"])
        same("token", fields.number(8), case["token"])

    def _first(self, _: str, case: Case, fields: Fields) -> None:
        epoch, public, ek, signature = fields.take(4), fields.take(32), fields.take(1184), fields.lp16(512)
        self.x = X25519PrivateKey.from_private_bytes(h(case["x25519_private"]))
        self.kem = MLKEM768PrivateKey.from_seed_bytes(h(case["mlkem_seed"]))
        same("x25519", self.x.public_key().public_bytes_raw(), public.hex())
        same("x25519", public, case["x25519"])
        same("ek", self.kem.public_key().public_bytes_raw(), ek.hex())
        self._half(case, "guest", b"rekey first", epoch, signature, public, ek)
        self.first = fields.data

    def _second(self, _: str, case: Case, fields: Fields) -> None:
        epoch, public, ct, signature = fields.take(4), fields.take(32), fields.take(1088), fields.lp16(512)
        same("ct", ct, case["ct"])
        own = X25519PrivateKey.from_private_bytes(h(case["x25519_private"]))
        same("x25519", own.public_key().public_bytes_raw(), public.hex())
        same("x25519", public, case["x25519"])
        self._half(case, "host", b"rekey second", epoch, signature, sha256(self.first), public, ct)
        ss_mlkem, ss_x25519 = self.kem.decapsulate(ct), exchange(self.x, public)
        secret = extract(self.root, ss_mlkem + ss_x25519)
        digests = sha256(self.first), sha256(fields.data)
        self.root = expand(secret, b"rekey root", self.agreed.t3, epoch, *digests)
        self.epoch += 1
        values = {"ss_mlkem": ss_mlkem, "ss_x25519": ss_x25519, "secret": secret, "root": self.root}
        values |= {
            f"{role}_chain": chain_start(self.root, way.number, self.epoch) for role, way in self.ways.items()
        }
        for name, value in values.items():
            same(name, value, case[name])

    def _half(
        self, case: Case, role: str, label: bytes, epoch: bytes, signature: bytes, *parts: bytes
    ) -> None:
        names = (self.agreed.t3, epoch, *parts)
        same("epoch", epoch, u(case["epoch"], 4).hex())
        same("epoch", self.epoch + 1, case["epoch"])
        same("signature", signature, case["signature"])
        same("signed", encode(PREFIX + label, *names), case["signed"])
        self.people[role].verify(label.decode(), signature, label, *names)


NAMES = {
    **dict(enumerate(("HELLO", "RESUME", "SIGNED", "UNSIGNED", "SIGNATURE", "ACKNOWLEDGEMENT", "GONE"), 1)),
    **dict(enumerate(("ASK", "COMMIT", "REPLY", "REVEAL", "STOP"), 8)),
    **dict(enumerate(("REKEY_FIRST", "REKEY_SECOND", "PING", "EMPTY", "GOODBYE"), 13)),
}
NAMES |= {kind: "COMPARISON_" + NAMES[kind] for kind in range(8, 13)}
DETAILS = ("resume", "signature", "message", "gone", "acknowledgement", "ping", "rekey")


def check_transcript(
    case: Case, all_cases: dict[str, Case], people: dict[str, Identity]
) -> dict[str, Running]:
    """A whole transcript; returns the running hashes of both authors at its end."""
    earlier = case["earlier"]
    books = check_transcript(all_cases[earlier], all_cases, people) if earlier else {}
    reader = Reader(case, people, books)
    reader.check()
    return reader.books
