"""Who may begin a handshake, and who gives way to whom."""

import pytest

from securechat_tui.network.addresses import Address
from securechat_tui.network.admission import (
    LOOPBACK,
    MAX_REMEMBERED_ORIGINS,
    MINUTE,
    Admission,
    Limits,
    origin_of,
)


class Door:
    """An admission with named holders and a record of who was dropped."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.dropped: list[str] = []
        self.admission = Admission[str](limits or Limits(), self.dropped.append)
        self.count = 0

    def knock(self, origin: str, now: float = 0.0) -> str | None:
        if not self.admission.admits(origin, now):
            return None
        self.count += 1
        name = f"{origin}#{self.count}"
        self.admission.enter(name, origin, now)
        return name


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("127.0.0.1", LOOPBACK),
        ("127.8.8.8", LOOPBACK),
        ("::1", LOOPBACK),
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::ffff", "2001:db8:1:2::/64"),
        ("fe80::1%2", "fe80::/64"),
    ],
)
def test_callers_are_grouped_by_who_could_be_one_machine(host: str, origin: str) -> None:
    assert origin_of(Address(host, 1)) == origin


def test_one_origin_holds_four_places_and_gets_one_back_when_it_leaves() -> None:
    door = Door()
    names = [door.knock("a") for _ in range(5)]
    assert names[4] is None
    assert names[0] is not None
    door.admission.leave(names[0])
    door.admission.leave(names[0])
    assert door.knock("a") is not None


def test_one_origin_is_admitted_thirty_times_a_minute() -> None:
    door = Door()
    for second in range(30):
        name = door.knock("a", float(second))
        assert name is not None
        door.admission.leave(name)
    assert door.knock("a", 30.0) is None
    assert door.knock("b", 30.0) is not None
    assert door.knock("a", MINUTE - 0.1) is None
    assert door.knock("a", MINUTE) is not None
    assert door.knock("a", MINUTE) is None
    assert door.knock("a", MINUTE + 1) is not None


def test_everyone_behind_a_tunnel_is_bound_by_the_total_alone() -> None:
    door = Door()
    for _ in range(100):
        name = door.knock(LOOPBACK)
        assert name is not None
        door.admission.leave(name)
    assert all(door.knock(LOOPBACK) for _ in range(16))
    assert door.knock(LOOPBACK) is None
    assert not door.dropped


def test_behind_a_tunnel_the_oldest_gives_way_after_its_fair_time() -> None:
    door = Door()
    first = door.knock(LOOPBACK, 0.0)
    for _ in range(15):
        door.knock(LOOPBACK, 1.0)
    assert door.knock(LOOPBACK, 2.9) is None
    assert door.knock(LOOPBACK, 3.0) is not None
    assert door.dropped == [first]
    assert door.knock(LOOPBACK, 3.1) is None


def test_a_full_house_makes_room_for_another_origin_at_the_cost_of_the_greediest() -> None:
    door = Door()
    single = door.knock("single")
    greedy = [door.knock("greedy") for _ in range(4)]
    for number in range(11):
        assert door.knock(f"other{number}")
    assert len(door.admission.holders) == 16
    newcomer = door.knock("newcomer")
    assert newcomer is not None
    assert door.dropped == [greedy[0]]
    assert single in door.admission.holders
    assert len(door.admission.holders) == 16


def test_local_callers_cannot_shut_out_others() -> None:
    door = Door()
    first = door.knock(LOOPBACK)
    for _ in range(15):
        door.knock(LOOPBACK)
    assert door.knock("192.0.2.1") is not None
    assert door.dropped == [first]


def test_an_origin_does_not_displace_itself() -> None:
    door = Door(Limits(unfinished=4))
    for _ in range(4):
        assert door.knock("a")
    assert door.knock("a", 100.0) is None
    assert not door.dropped


def test_equals_give_way_by_age() -> None:
    door = Door()
    names = [door.knock(f"origin{number}") for number in range(16)]
    assert door.knock("newcomer") is not None
    assert door.dropped == [names[0]]


def test_the_memory_of_origins_is_bounded() -> None:
    door = Door()
    for number in range(2 * MAX_REMEMBERED_ORIGINS):
        name = door.knock(f"origin{number}")
        assert name is not None
        door.admission.leave(name)
    assert len(door.admission._arrivals) == MAX_REMEMBERED_ORIGINS
