from datetime import timedelta

import pytest

from chatroom.base.errors import Refused, Unavailable
from chatroom.base.models import Author, Notice, Role
from chatroom.rooms.access import LOBBY
from tests.people import ALICE, BOB, MALLORY
from tests.unit.rooms.world import World, reason


class TestComing:
    def test_joining_is_announced(self, world: World) -> None:
        room = world.rooms.making.create(ALICE, "member", title="Tea")
        for _ in range(2):
            assert world.rooms.membership.join(BOB, room.slug) == room
        assert world.lines(room) == ["Bob joined"]

    def test_a_private_room_cannot_be_joined(self, world: World) -> None:
        with pytest.raises(Refused) as refusal:
            world.rooms.membership.join(MALLORY, world.den().room.slug)
        assert reason(refusal) == "not_found"

    def test_moderators_add_members(self, world: World) -> None:
        access = world.den()
        assert world.lines(access.room) == ["Alice added Bob"]
        assert not world.rooms.membership.add(access, BOB.id, "Bob")
        with pytest.raises(Refused) as refusal:
            world.rooms.membership.add(world.access(BOB, access.room), MALLORY.id, "Mallory")
        assert reason(refusal) == "forbidden"

    def test_whoever_is_added_or_gets_a_higher_role_has_something_unread_and_nobody_else(self, world: World) -> None:
        access = world.den()
        room = access.room

        def waiting(author: Author) -> tuple[int, int]:
            [entry] = [each for each in world.rooms.listings.list_for(author.id) if each.room.id == room.id]
            return entry.unread, entry.urgent

        assert (waiting(BOB), waiting(ALICE)) == ((1, 1), (0, 0))
        for role in ("moderator", "administrator", "member"):
            world.rooms.membership.set_role(access, BOB.id, role)
        assert world.lines(room) == ["Alice added Bob", "Alice made Bob a moderator", "Alice made Bob an administrator"]
        assert (waiting(BOB), waiting(ALICE)) == ((3, 3), (0, 0))
        world.rooms.read_positions.mark(world.access(BOB, room), 3)
        assert waiting(BOB) == (0, 0)

    def test_an_event_that_cannot_be_written_is_left_out(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        def away(*arguments: object) -> None:
            raise Unavailable("The database does not answer.")

        monkeypatch.setattr(world.messages.writer, "post", away)
        room = world.den().room
        assert world.is_in(BOB, room)


class TestGoing:
    def test_a_member_who_leaves_can_rejoin_a_public_room(self, world: World) -> None:
        room = world.rooms.making.create(ALICE, "member", title="Tea")
        world.rooms.membership.leave(world.access(BOB, room))
        assert not world.is_in(BOB, room)
        assert Notice(kind="access", user=BOB.id, room=room.id, data={"why": "left"}) in world.told
        world.rooms.membership.join(BOB, room.slug)
        assert world.is_in(BOB, room)

    @pytest.mark.parametrize("person", [ALICE, BOB])
    def test_nobody_leaves_the_lobby(self, world: World, person: Author) -> None:
        with pytest.raises(Refused):
            world.rooms.membership.leave(world.access(person, LOBBY))

    def test_the_last_administrator_cannot_leave_a_private_room(self, world: World) -> None:
        access = world.den()
        with pytest.raises(Refused) as refusal:
            world.rooms.membership.leave(access)
        assert reason(refusal) == "forbidden"
        world.rooms.membership.set_role(access, BOB.id, "administrator")
        world.rooms.membership.leave(access)
        assert not world.is_in(ALICE, access.room)
        world.rooms.membership.leave(world.access(BOB, access.room))  # the last one may
        assert world.lines(access.room) == [
            "Alice added Bob",
            "Alice made Bob an administrator",
            "Alice left",
            "Bob left",
        ]

    def test_a_removed_member_cannot_rejoin(self, world: World) -> None:
        room = world.rooms.making.create(ALICE, "member", title="Tea")
        access = world.access(ALICE, room)
        world.rooms.membership.join(BOB, room.slug)
        world.rooms.membership.remove(access, BOB.id)
        assert Notice(kind="access", user=BOB.id, room=room.id, data={"why": "removed"}) in world.told
        for again in (world.rooms.membership.join, lambda author, slug: world.rooms.access.get_for(author.id, slug)):
            with pytest.raises(Refused) as refusal:
                again(BOB, room.slug)
            assert reason(refusal) == "not_found"
        assert [member.person.name for member in world.rooms.members.list_page(access.room)] == ["Alice"]
        world.rooms.membership.add(access, BOB.id, "Bob")
        assert world.access(BOB, room).role == "member"

    def test_leaving_and_coming_again_ends_no_mute(self, world: World) -> None:
        """M05."""
        room = world.rooms.making.create(ALICE, "member", title="Tea")
        world.rooms.membership.join(BOB, room.slug)
        world.rooms.membership_store.set_mute(BOB.id, room.id, world.clock() + timedelta(hours=1), "noise")
        for come in (lambda: world.rooms.membership.join(BOB, room.slug), lambda: world.access(BOB, room)):
            world.rooms.membership.leave(world.access(BOB, room))
            assert not world.is_in(BOB, room)
            come()
            with pytest.raises(Refused) as refusal:
                world.post(world.access(BOB, room), "b1")
            assert reason(refusal) == "muted"

    def test_leaving_and_coming_again_is_no_turn_in_a_slow_room(self, world: World) -> None:
        """M05."""
        room = world.rooms.making.create(ALICE, "member", title="Tea")
        world.rooms.store.change(room.id, {"slow_seconds": 60})
        world.post(world.access(BOB, room), "b1")
        world.rooms.membership.leave(world.access(BOB, room))
        with pytest.raises(Refused) as refusal:
            world.post(world.access(BOB, room), "b2")
        assert reason(refusal) == "too_fast"

    def test_a_former_member_is_added_again_without_the_role(self, world: World) -> None:
        access = world.den()
        world.rooms.membership.set_role(access, BOB.id, "moderator")
        world.rooms.membership.leave(world.access(BOB, access.room))
        with pytest.raises(Refused):
            world.access(BOB, access.room)
        assert world.rooms.membership.add(access, BOB.id, BOB.name)
        assert world.access(BOB, access.room).role == "member"

    @pytest.mark.parametrize("how", ["demote", "go"])
    def test_two_administrators_at_the_same_moment_leave_one(
        self, world: World, how: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """M02: each was looked at while the other still was one."""
        alice = world.den()
        world.rooms.membership.add(alice, MALLORY.id, MALLORY.name)
        world.rooms.membership.set_role(alice, BOB.id, "administrator")
        bob = world.access(BOB, alice.room)
        has_another = world.rooms.members.has_another_administrator
        stale = [True, True]  # what both saw before either wrote
        monkeypatch.setattr(
            world.rooms.members,
            "has_another_administrator",
            lambda user_id, room: stale.pop() if user_id and stale else has_another(user_id, room),
        )
        deeds = {
            "demote": lambda by, other: world.rooms.membership.set_role(by, other.id, "member"),
            "go": lambda by, _: world.rooms.membership.leave(by),
        }
        monkeypatch.setattr(world.rooms.membership_store, "find_role", lambda *_: "administrator")
        deeds[how](alice, BOB)
        with pytest.raises(Refused) as refusal:
            deeds[how](bob, ALICE)
        assert reason(refusal) == "forbidden"
        monkeypatch.undo()
        managers = [each.person.id for each in world.rooms.members.list_page(bob.room) if each.role == "administrator"]
        assert len(managers) == 1

    def test_moderators_remove_members_but_nobody_above(self, world: World) -> None:
        access = world.den()
        world.rooms.membership.add(access, MALLORY.id, "Mallory")
        world.rooms.membership.set_role(access, BOB.id, "moderator")
        bob = world.access(BOB, access.room)
        for target in (ALICE, BOB):
            with pytest.raises(Refused):
                world.rooms.membership.remove(bob, target.id)
        with pytest.raises(Refused):
            world.rooms.membership.set_role(bob, MALLORY.id, "moderator")
        with pytest.raises(Refused):
            world.rooms.membership.remove(world.access(MALLORY, access.room), BOB.id)
        world.rooms.membership.remove(bob, MALLORY.id)
        assert not world.is_in(MALLORY, access.room)

    def test_outsiders_have_no_role_and_the_last_administrator_keeps_the_role(self, world: World) -> None:
        access = world.den()
        for target, expected in ((MALLORY, "not_found"), (ALICE, "forbidden")):
            with pytest.raises(Refused) as refusal:
                world.rooms.membership.set_role(access, target.id, "member")
            assert reason(refusal) == expected
        with pytest.raises(Refused) as refusal:
            world.rooms.membership.remove(access, MALLORY.id)
        assert reason(refusal) == "not_found"


class TestPower:
    """M15: nobody acts on somebody who is as powerful as they are."""

    def make_keeper(self, world: World, person: Author, role: Role) -> None:
        world.database["users"].update_one({"_id": person.id}, {"$set": {"role": role}})

    @pytest.mark.parametrize("role", ["moderator", "administrator"])
    def test_the_creator_of_a_public_room_cannot_remove_site_moderators(self, world: World, role: Role) -> None:
        room = world.rooms.making.create(BOB, "member", title="Tea")
        self.make_keeper(world, ALICE, role)
        world.access(ALICE, room)
        with pytest.raises(Refused) as refusal:
            world.rooms.membership.remove(world.access(BOB, room), ALICE.id)
        assert (reason(refusal), world.is_in(ALICE, room)) == ("forbidden", True)

    @pytest.mark.parametrize("role", ["administrator", "moderator"])
    def test_moderators_of_the_site_remove_who_made_a_public_room(self, world: World, role: Role) -> None:
        room = world.rooms.making.create(BOB, "member", title="Tea")
        self.make_keeper(world, ALICE, role)
        self.make_keeper(world, MALLORY, role)
        alice = world.access(ALICE, room)
        world.access(MALLORY, room)
        with pytest.raises(Refused):
            world.rooms.membership.remove(alice, MALLORY.id)
        world.rooms.membership.remove(alice, BOB.id)
        assert not world.is_in(BOB, room)

    def test_roles_on_the_site_do_not_count_in_a_private_room(self, world: World) -> None:
        self.make_keeper(world, ALICE, "moderator")
        den = world.den()
        world.rooms.membership.set_role(den, BOB.id, "administrator")
        with pytest.raises(Refused):
            world.rooms.membership.remove(den, BOB.id)

    def test_equals_in_a_room_do_not_remove_each_other(self, world: World) -> None:
        access = world.den()
        world.rooms.membership.set_role(access, BOB.id, "administrator")
        for by, other in ((ALICE, BOB), (BOB, ALICE)):
            with pytest.raises(Refused) as refusal:
                world.rooms.membership.remove(world.access(by, access.room), other.id)
            assert reason(refusal) == "forbidden"
        world.rooms.membership.set_role(access, BOB.id, "member")  # they have to lose that role first
        world.rooms.membership.remove(access, BOB.id)

    def test_a_member_promoted_at_the_same_moment_is_not_removed(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        access = world.den()
        world.rooms.membership.set_role(access, BOB.id, "administrator")
        monkeypatch.setattr(world.rooms.membership_store, "find_role", lambda *_: "member")
        with pytest.raises(Refused):
            world.rooms.membership.remove(access, BOB.id)
        assert world.is_in(BOB, access.room)

    def test_administrators_of_the_site_reach_every_public_room(self, world: World) -> None:
        room = world.rooms.making.create(BOB, "member", title="Tea")
        world.access(ALICE, room)
        world.rooms.membership.remove(world.access(BOB, room), ALICE.id)
        with pytest.raises(Refused):
            world.rooms.access.visit(ALICE.id, room.slug)
        self.make_keeper(world, ALICE, "administrator")
        assert world.rooms.access.visit(ALICE.id, room.slug).may_manage

    def test_and_no_private_one(self, world: World) -> None:
        self.make_keeper(world, MALLORY, "administrator")
        with pytest.raises(Refused) as refusal:
            world.rooms.access.visit(MALLORY.id, world.den().room.slug)
        assert reason(refusal) == "not_found"


class TestRecord:
    def test_additions_removals_and_roles_are_recorded(self, world: World) -> None:
        den = world.den()
        world.rooms.membership.set_role(den, BOB.id, "moderator")
        world.rooms.membership.remove(den, BOB.id)
        entries = world.audit.page(room=den.room.id).entries
        acts = [(each.actor.name, each.act, each.subject.name, dict(each.details)) for each in entries]
        assert acts == [
            ("Alice", "remove_member", "bob", {}),
            ("Alice", "set_room_role", "bob", {"role": "moderator"}),
            ("Alice", "add_member", "bob", {}),
        ]

    def test_refused_and_empty_changes_are_not_recorded(self, world: World) -> None:
        den = world.den()
        world.rooms.membership.add(den, BOB.id, BOB.name)
        for person in (ALICE, MALLORY):
            with pytest.raises(Refused):
                world.rooms.membership.remove(den, person.id)
        with pytest.raises(Refused):
            world.rooms.membership.remove(world.access(BOB, den.room), ALICE.id)
        assert [each.act for each in world.audit.page(room=den.room.id).entries] == ["add_member"]
