"""Writes down a recording: every frame, and every value that it is made of."""

from dataclasses import asdict, dataclass, field

from vector_chance import agree
from vector_files import Case
from vector_people import UNIX_MS, Frame, Scene
from vector_scenes import SCRIPTS

from securechat_tui.protocol import constants as c
from securechat_tui.protocol import keyschedule, primitives, rekey, signing
from securechat_tui.protocol.encoding import Reader, encode, u8, u32, u64
from securechat_tui.protocol.frames import HEADER_LENGTH
from securechat_tui.protocol.keyschedule import K2, GuestSection, HandshakeKeys, HostSection, Master
from securechat_tui.protocol.kinds import Kind
from securechat_tui.protocol.payloads import (
    Acknowledgement,
    ComparisonStep,
    ComparisonStop,
    Gone,
    Goodbye,
    Hello,
    Payload,
    Ping,
    RekeyFirst,
    RekeySecond,
    Resume,
    Signature,
    Signed,
    Unsigned,
    decode_payload,
)
from securechat_tui.protocol.primitives import hkdf_expand, hkdf_extract, sha256
from securechat_tui.protocol.records import Direction, unpad
from securechat_tui.protocol.rotation import Rotation
from securechat_tui.protocol.signing import Header
from securechat_tui.trust.codes import ShortAuthenticationString

_DIRECTIONS = {"host": Direction.HOST, "guest": Direction.GUEST}
_CHAIN_LABELS = {"host": c.LABEL_HOST_CHAIN, "guest": c.LABEL_GUEST_CHAIN}


def hexed(value: object) -> object:
    """Return a value as JSON has it: bytes in hexadecimal."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {name: hexed(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [hexed(one) for one in value]
    return value


def transcript(name: str, scene: Scene) -> Case:
    """Return a recording as a case."""
    script = SCRIPTS[name]
    case: Case = {
        "id": name,
        "earlier": script.earlier,
        "guest": scene.names[0],
        "host": scene.names[1],
        "unix_ms": UNIX_MS,
        "versions": {"guest": list(scene.versions[0]), "host": list(scene.versions[1])},
        "secrets": hexed(scene.secrets),
        "shown": hexed(scene.host.shown),
    }
    handshake = Handshake(scene)
    case["handshake"] = hexed(handshake.values)
    case["conversation"] = Observer(scene, handshake).conversation.hex()
    case["frames"] = hexed(Observer(scene, handshake).frames())
    return case


def _name(frame: Frame) -> str:
    names = {"K": "K1" if frame.role == "guest" else "K2", "S": "S", "F": "FIN", "M": "record", "H": "hint"}
    return names[chr(frame.data[0])]


class Handshake:
    """Every value of section 8."""

    def __init__(self, scene: Scene) -> None:
        k1, k2, e_g = (frame.data[HEADER_LENGTH:] for frame in scene.frames[:3])
        parts = K2.decode(k2)
        reader = Reader(k1)
        keyschedule.read_versions(reader)
        guest_x, ek = reader.take(c.X25519_LENGTH), reader.take(c.MLKEM_KEY_LENGTH)
        chance = scene.chance
        ss_mlkem, ss_x25519 = chance.shared[parts.ciphertext], agree(chance.x25519[guest_x], parts.x25519)
        t1 = keyschedule.first_transcript(k1, parts.clear())
        hs = hkdf_extract(t1, ss_mlkem + ss_x25519)
        keys = HandshakeKeys.derive(t1, ss_mlkem, ss_x25519)
        host_plain = primitives.unseal(keys.host, parts.sealed, t1)
        host = HostSection.decode(host_plain)
        t2 = keyschedule.second_transcript(t1, parts.sealed)
        guest_plain = primitives.unseal(keys.guest, e_g, t2)
        guest = GuestSection.decode(guest_plain)
        fp_g, fp_h = sha256(guest.spki), sha256(host.spki)
        o, t3 = chance.wrapped[guest.wrapped], keyschedule.third_transcript(t2, e_g, fp_g, fp_h)
        self.master = Master.derive(t3, ss_mlkem, ss_x25519, o)
        secret = hkdf_extract(t3, ss_mlkem + ss_x25519 + o)
        self.values: Case = {
            "core": k1[: -2 * c.TAG_LENGTH],
            "tags": [k1[-2 * c.TAG_LENGTH : -c.TAG_LENGTH], k1[-c.TAG_LENGTH :]],
            "guest_x25519_private": chance.x25519[guest_x],
            "guest_x25519": guest_x,
            "guest_mlkem_seed": chance.mlkem[ek],
            "host_x25519_private": chance.x25519[parts.x25519],
            "host_x25519": parts.x25519,
            "ct": parts.ciphertext,
            "ss_mlkem": ss_mlkem,
            "ss_x25519": ss_x25519,
            "t1": t1,
            "hs": hs,
            "k_h": keys.host,
            "host_section": host_plain,
            "host_rotations": [_rotation(one) for one in host.rotations],
            "host_signed": host.message(t1),
            "host_signature": host.signature,
            "t2": t2,
            "k_g": keys.guest,
            "o": o,
            "oaep_label": keyschedule.oaep_label(t2),
            "oc": guest.wrapped,
            "guest_section": guest_plain,
            "guest_rotations": [_rotation(one) for one in guest.rotations],
            "guest_signed": guest.message(t2, fp_h),
            "guest_signature": guest.signature,
            "t3": t3,
            "master": secret,
            "fin_host_key": hkdf_expand(secret, c.LABEL_FIN_HOST_KEY),
            "fin_host": self.master.fin_host,
            "fin_guest_key": hkdf_expand(secret, c.LABEL_FIN_GUEST_KEY),
            "fin_guest": self.master.fin_guest,
            "root": self.master.root,
            "session_id": self.master.session_id,
            "exporter": self.master.exporter,
            "reconnect": self.master.reconnect_secret(),
        }


def _rotation(statement: Rotation) -> Case:
    return {**asdict(statement), "signed": statement.message()}


@dataclass
class Track:
    """What is known of one side: its chain, and where its messages stand."""

    chain: bytes
    fingerprint: bytes
    epoch: int = 0
    sequence: int = 0
    generation: bytes = b""
    hashes: list[bytes] = field(default_factory=list)
    """The running hash at every number."""


def _fields(payload: Payload | None) -> Case:
    """Return the fields of a payload that stands for itself."""
    match payload:
        case Hello():
            return {"name_shown": str(payload.name), "time_ms": payload.time_ms, "flags": payload.flags}
        case Acknowledgement() | Ping():
            return {type(payload).__name__.lower(): asdict(payload)}
        case Goodbye() | ComparisonStop():
            return {"reason": payload.reason}
    return {}


def shown(code: ShortAuthenticationString) -> Case:
    """Return both spellings of a code."""
    return {"digits": code.digits, "pictures": [list(one) for one in code.pictures]}


def code_of(session_id: bytes, values: tuple[bytes, bytes], fingerprints: tuple[bytes, bytes]) -> Case:
    """Return the code of a run; the guest's value and fingerprint come first."""
    secret = hkdf_extract(session_id, b"".join(values))
    return shown(ShortAuthenticationString.of(hkdf_expand(secret, c.LABEL_COMPARISON_CODE, *fingerprints)))


class Observer:
    """Reads records with the keys of both sides."""

    def __init__(self, scene: Scene, handshake: Handshake) -> None:
        self._scene, self._chance, self._master = scene, scene.chance, handshake.master
        self._root, self._epoch = self._master.root, 0
        self._tracks = {
            person.role: Track(self._start(person.role), person.key.public.fingerprint)
            for person in (scene.guest, scene.host)
        }
        self.conversation = signing.conversation_id(*(one.fingerprint for one in self._tracks.values()))
        if scene.earlier:
            self._continue(scene.earlier)

    def _continue(self, scene: Scene) -> None:
        """Go on with the messages of an earlier session."""
        earlier = Observer(scene, Handshake(scene))
        earlier.frames()
        for role, track in self._tracks.items():
            track.generation = earlier._tracks[role].generation
            track.hashes = earlier._tracks[role].hashes

    def frames(self) -> list[Case]:
        """Return every frame with what it consists of."""
        return [self._frame(index, frame) for index, frame in enumerate(self._scene.frames)]

    def _frame(self, index: int, frame: Frame) -> Case:
        entry: Case = {"from": frame.role, "ms": frame.ms, "name": _name(frame), "frame": frame.data}
        if index >= self._scene.delivered:
            entry["lost"] = True
        if frame.data[0] == ord("M"):
            entry |= self._record(frame.role, frame.data[HEADER_LENGTH:])
        return entry

    def _start(self, role: str) -> bytes:
        return hkdf_expand(self._root, _CHAIN_LABELS[role], u32(self._epoch))

    def _record(self, role: str, record: bytes) -> Case:
        """Return what a record consists of."""
        track = self._tracks[role]
        epoch = int.from_bytes(record[: c.EPOCH_LENGTH], "big")
        if epoch != track.epoch:
            track.epoch, track.chain = epoch, self._start(role)
        following, key = primitives.chain_step(track.chain)
        binding = encode(c.LABEL_RECORD, self._master.session_id, u8(_DIRECTIONS[role]))
        ad = binding + u32(epoch) + u64(track.sequence)
        plaintext = primitives.unseal(key, record[c.EPOCH_LENGTH :], ad)
        payload = unpad(plaintext)
        entry: Case = {
            "epoch": epoch,
            "sequence": track.sequence,
            "chain": track.chain,
            "record_key": key,
            "chain_after": following,
            "ad": ad,
            "padded": len(plaintext),
            "payload": payload,
        }
        track.chain, track.sequence = following, track.sequence + 1
        decoded = decode_payload(payload)
        entry["name"] = Kind(payload[0]).name
        return entry | self._details(role, decoded)

    def _details(self, role: str, payload: Payload | None) -> Case:
        match payload:
            case Signed() | Unsigned() | Gone():
                return self._numbered(role, payload)
            case Resume():
                self._announce(role, payload.generation)
                return {"resume": asdict(payload)}
            case Signature():
                message = signing.batch_message(self.conversation, payload.count, payload.root)
                return {"signature": {**asdict(payload), "signed": message}}
            case ComparisonStep():
                return {"value": payload.value, **self._compared(payload)}
            case RekeyFirst() | RekeySecond():
                return {"rekey": self._rekey(payload)}
        return _fields(payload)

    def _numbered(self, role: str, payload: Signed | Unsigned | Gone) -> Case:
        if isinstance(payload, Signed):
            return self._signed(role, payload)
        if isinstance(payload, Gone):
            running = self._advance(role, payload.number, payload.item)
            return {"gone": {**asdict(payload), "running": running}}
        item = signing.unsigned_item(payload.fields(), payload.content)
        running = self._advance(role, payload.number, item)
        return {"message": {**asdict(payload), "item": item, "running": running}}

    def _announce(self, role: str, generation: bytes) -> None:
        track = self._tracks[role]
        if generation != track.generation:
            track.generation = generation
            track.hashes = [signing.running_start(self.conversation, track.fingerprint, generation)]

    def _signed(self, role: str, payload: Signed) -> Case:
        header = Header.decode(payload.header)
        item = signing.header_hash(payload.header)
        return {
            "message": {
                **asdict(payload),
                "number": header.number,
                "header_fields": asdict(header),
                "header_hash": item,
                "leaf": signing.leaf_hash(payload.header),
                "running": self._advance(role, header.number, item),
            }
        }

    def _advance(self, role: str, number: int, item: bytes) -> bytes | None:
        """Return the running hash at a number; None where the number is not due."""
        hashes = self._tracks[role].hashes
        if number == len(hashes):
            hashes.append(signing.running_next(hashes[-1], item))
        return hashes[number] if number < len(hashes) else None

    def _compared(self, step: ComparisonStep) -> Case:
        """Return the code that a REVEAL leads to."""
        if step.kind is Kind.COMPARISON_REPLY:
            self._of_host = step.value
        if step.kind is not Kind.COMPARISON_REVEAL:
            return {}
        names = self._tracks["guest"].fingerprint, self._tracks["host"].fingerprint
        return {"code": code_of(self._master.session_id, (step.value, self._of_host), names)}

    def _rekey(self, half: RekeyFirst | RekeySecond) -> Case:
        return self._rekey_first(half) if isinstance(half, RekeyFirst) else self._rekey_second(half)

    def _rekey_first(self, payload: RekeyFirst) -> Case:
        self._half = payload
        keys = payload.x25519, payload.encapsulation_key
        return {
            "epoch": payload.epoch,
            "x25519_private": self._chance.x25519[keys[0]],
            "x25519": keys[0],
            "mlkem_seed": self._chance.mlkem[keys[1]],
            "signed": rekey.first_message(self._master.t3, payload.epoch, *keys),
            "signature": payload.signature,
        }

    def _rekey_second(self, payload: RekeySecond) -> Case:
        t3, first, second = self._master.t3, self._half.encode(), payload.encode()
        keys = payload.x25519, payload.ciphertext
        ss_mlkem = self._chance.shared[keys[1]]
        ss_x25519 = agree(self._chance.x25519[keys[0]], self._half.x25519)
        secret = hkdf_extract(self._root, ss_mlkem + ss_x25519)
        self._root = rekey.next_root(
            self._root, ss_mlkem + ss_x25519, t3, payload.epoch, halves=(first, second)
        )
        self._epoch = payload.epoch
        return {
            "epoch": payload.epoch,
            "x25519_private": self._chance.x25519[keys[0]],
            "x25519": keys[0],
            "ct": keys[1],
            "signed": rekey.second_message(t3, payload.epoch, first, *keys),
            "signature": payload.signature,
            "ss_mlkem": ss_mlkem,
            "ss_x25519": ss_x25519,
            "secret": secret,
            "root": self._root,
            "host_chain": self._start("host"),
            "guest_chain": self._start("guest"),
        }
