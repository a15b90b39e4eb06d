"""Judge a history: a pure function of what the clients wrote down and of what the database holds in the end.

Each promise has a function of its own, which yields every breach that it finds with the lines that show it.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

import msgspec

from tests.faults.history import Document, Event

BEHIND_SECONDS = 10.0
SHOWN = 12


class Violation(msgspec.Struct, frozen=True):
    """A promise that was broken: which one, when it could be seen first, in a sentence, and the lines that show it."""

    time: float
    promise: str
    sentence: str
    history: tuple[Event | Document, ...]


class Change(msgspec.Struct):
    """A post, an edit or a deletion by one client, over all its tries."""

    first: Event
    tries: list[Event]
    ends: list[Event]

    @property
    def is_stored(self) -> bool:
        """Whether its author was told that it is stored."""
        return any(event.outcome == "ok" for event in self.ends)

    @property
    def is_refused(self) -> bool:
        """Whether each try of it was refused."""
        return len(self.ends) >= len(self.tries) and all(event.outcome == "failed" for event in self.ends)

    @property
    def is_open(self) -> bool:
        """Whether its author still waits for an outcome."""
        last = self.ends[-1] if self.ends else None
        if last is None or last.outcome == "unknown":
            return last is None or last.reason != "dropped"
        return last.outcome == "failed" and last.reason in {"busy", "too_fast"}


class Case:
    """The lines and the documents, by everything that the promises ask for."""

    def __init__(self, events: Sequence[Event], documents: Sequence[Document], behind_seconds: float) -> None:
        self.behind_seconds = behind_seconds
        self.events = sorted(events, key=lambda event: event.time)
        self.documents = documents
        self.document = {document.id: document for document in documents}
        self.owner = {revision: document for document in documents for revision in document.revisions}
        self.newest = max(self.owner, default=0)
        self.healed_at = max((event.time for event in events if event.kind == "healed"), default=None)
        self._lines: dict[str, list[Event]] = defaultdict(list)
        self.views: dict[str, list[Event]] = defaultdict(list)
        """By client, in the client's own order: what it saw, and its cursor."""
        self.seen: dict[str, list[Event]] = defaultdict(list)
        self.changes: dict[tuple[str, str], Change] = {}
        for event in self.events:
            if event.kind in {"see", "cursor"}:
                self.views[event.who].append(event)
            if event.kind == "see":
                self.seen[event.id].append(event)
            if event.kind in {"post", "edit", "delete"}:
                self._add(event)
            for key in {event.id, event.client_id} - {""} if event.kind != "fault" else ():
                self._lines[key].append(event)
        self.by_author = {
            (change.first.author, client_id): change
            for (_, client_id), change in self.changes.items()
            if change.first.kind == "post"
        }
        self.acknowledged = [event for event in self.events if event.outcome == "ok" and event.client_id]
        self.tried_texts = {
            (event.id or None, event.hash) for change in self.changes.values() for event in change.tries
        }

    def _add(self, event: Event) -> None:
        change = self.changes.setdefault((event.who, event.client_id), Change(event, [], []))
        (change.tries if event.outcome == "tried" else change.ends).append(event)

    def about(self, *, id: str = "", client_id: str = "", who: str = "") -> tuple[Event | Document, ...]:
        """The shortest telling: the lines about a message (for one reader, where it matters), and its document."""
        found = dict.fromkeys(event for key in (id, client_id) if key for event in self._lines[key])
        lines: list[Event | Document] = [
            event
            for event in sorted(found, key=lambda event: event.time)
            if event.kind != "see" or not who or event.who == who
        ]
        if not who:
            lines = _first_sight_only(lines)
        lines.extend(
            document
            for document in self.documents
            if document.id == id or (client_id and document.client_id == client_id)
        )
        return tuple(lines[: SHOWN // 2] + lines[-SHOWN // 2 :] if len(lines) > SHOWN else lines)


def _first_sight_only(lines: list[Event | Document]) -> list[Event | Document]:
    """Leave out that one reader after the other saw the same."""
    known: set[tuple[int, str]] = set()
    kept: list[Event | Document] = []
    for line in lines:
        if isinstance(line, Event) and line.kind == "see":
            if (line.revision, line.hash) in known:
                continue
            known.add((line.revision, line.hash))
        kept.append(line)
    return kept


Promise = Callable[[Case], Iterator[Violation]]


def check(
    events: Sequence[Event], documents: Sequence[Document], *, behind_seconds: float = BEHIND_SECONDS
) -> list[Violation]:
    """Every breach, the earliest first; of two at the same moment, the one that is told in fewer lines."""
    case = Case(events, documents, behind_seconds)
    found = [violation for promise in PROMISES for violation in promise(case)]
    return sorted(found, key=lambda violation: (violation.time, len(violation.history)))


def is_durable(case: Case) -> Iterator[Violation]:
    """I1. What a client was told is stored, is stored."""
    name = "I1 durable"
    for event in case.acknowledged:
        document = case.document.get(event.id)

        def say(sentence: str, event: Event = event) -> Violation:
            return Violation(event.time, name, sentence, case.about(id=event.id, client_id=event.client_id, who="-"))

        if document is None:
            yield say(f"{event.who} was told that its {event.kind} is stored, and the message is not there")
        elif event.kind == "post" and (document.sequence, document.client_id) != (event.sequence, event.client_id):
            yield say(f"the post of {event.who} was acknowledged as another message than the one that is there")
        elif event.revision not in document.revisions:
            yield say(
                f"the {event.kind} of {event.who} was acknowledged as revision {event.revision}, which is not there"
            )
        elif event.kind == "edit" and event.revision == document.revision and document.hash != event.hash:
            yield say(f"the edit of {event.who} was acknowledged, and the message has another text")
        elif event.kind == "delete" and document.hash:
            yield say(f"the deletion by {event.who} was acknowledged, and the message has a text")


def is_stored_once(case: Case) -> Iterator[Violation]:
    """I2. One document for each draft, whose id and sequence never change; nothing is said once and stored twice."""
    name = "I2 exactly once"
    by_draft: dict[tuple[str, str], list[Document]] = defaultdict(list)
    by_text: dict[str, set[str]] = defaultdict(set)
    seen_at: dict[str, float] = {}
    for document in case.documents:
        by_draft[document.author, document.client_id].append(document)
        by_text[document.hash].add(document.id)
    for id, events in case.seen.items():
        seen_at[id] = events[0].time
        for event in events:
            by_text[event.hash].add(id)
    end = case.events[-1].time if case.events else 0.0
    for (_, client_id), documents in by_draft.items():
        if len(documents) > 1:
            moment = max(seen_at.get(document.id, end) for document in documents)
            sentence = f"the draft {client_id} is stored {len(documents)} times"
            yield Violation(moment, name, sentence, case.about(client_id=client_id, who="-"))
    for text, ids in by_text.items():
        if text and len(ids) > 1:
            moment = max(seen_at.get(id, end) for id in ids)
            lines = [event for event in case.events if event.hash == text and event.kind != "see"]
            shown = [case.document[id] for id in sorted(ids) if id in case.document]
            sentence = f"something that was said once is stored as {len(ids)} messages"
            yield Violation(moment, name, sentence, (*lines[:SHOWN], *shown))
    answers: dict[tuple[str, str], Event] = {}
    for event in case.acknowledged:
        first = answers.setdefault((event.author, event.client_id), event)
        if event.kind == "post" and (first.id, first.sequence) != (event.id, event.sequence):
            sentence = f"the draft {event.client_id} was acknowledged as two messages"
            yield Violation(event.time, name, sentence, (first, event))


def is_not_invented(case: Case) -> Iterator[Violation]:
    """I3. What is stored or shown, somebody tried to say; what was refused each time is not there."""
    name = "I3 no invention"
    end = case.events[-1].time if case.events else 0.0
    first_seen = {id: events[0].time for id, events in case.seen.items()}
    for document in case.documents:
        change = case.by_author.get((document.author, document.client_id))
        moment = first_seen.get(document.id, end)
        lines = case.about(id=document.id, client_id=document.client_id, who="-")
        if change is None:
            yield Violation(moment, name, f"nobody posted the message {document.id}", lines)
        elif change.is_refused:
            yield Violation(moment, name, f"the draft {document.client_id} was refused, and is stored", lines)
        elif not _was_tried(case, document.id, document.hash, change):
            yield Violation(moment, name, f"nobody gave the message {document.id} the text that it has", lines)
    for id, events in case.seen.items():
        change = case.by_author.get((events[0].author, events[0].client_id))
        known: set[str] = set()
        for event in events:
            if event.hash not in known and not (change and _was_tried(case, id, event.hash, change)):
                sentence = f"{event.who} was shown a text that nobody tried to say"
                yield Violation(event.time, name, sentence, case.about(id=id, who=event.who))
            known.add(event.hash)


def _was_tried(case: Case, id: str, text: str, post: Change) -> bool:
    """Whether the message was posted, edited or (without a text) deleted to be this."""
    return (id, text) in case.tried_texts or (bool(text) and any(event.hash == text for event in post.tries))


def readers_converge(case: Case) -> Iterator[Violation]:
    """I4. What every reader has in the end is what is stored: the same messages, order, texts."""
    name = "I4 convergence"
    for who, lines in case.views.items():
        view: dict[str, Event] = {}
        for event in lines:
            if event.kind == "see" and (event.id not in view or event.revision >= view[event.id].revision):
                view[event.id] = event
        for document in case.documents:
            if difference := _difference(view.get(document.id), document):
                shown = case.about(id=document.id, who=who)
                yield Violation(lines[-1].time, name, f"{who} {difference}", shown)
        for id, event in view.items():
            if id not in case.document:
                sentence = f"{who} has a message that is not stored"
                yield Violation(event.time, name, sentence, case.about(id=id, who=who))


def _difference(event: Event | None, document: Document) -> str:
    if event is None:
        return f"never got the message {document.id}"
    if event.sequence != document.sequence:
        return f"has the message {document.id} at another place"
    if event.revision != document.revision:
        return f"has revision {event.revision} of {document.id}, which is at {document.revision}"
    return f"has another text for {document.id} than is stored" if event.hash != document.hash else ""


def views_are_dense(case: Case) -> Iterator[Violation]:
    """I5. No reader gets a change twice, out of order, or n+1 while n is still to come."""
    later = {
        revision: following
        for document in case.documents
        for revision, following in zip(document.revisions, document.revisions[1:], strict=False)
    }
    tried_at: dict[int, float] = {}
    for event in case.acknowledged:
        moment = case.changes[event.who, event.client_id].first.time
        tried_at[event.revision] = min(moment, tried_at.get(event.revision, moment))
    for who, lines in case.views.items():
        yield from _walk(case, who, lines, later, tried_at)


def _walk(
    case: Case, who: str, lines: Sequence[Event], later: dict[int, int], tried_at: dict[int, float]
) -> Iterator[Violation]:
    name = "I5 no gap, no double"
    cursor, before = 0, 0
    has: dict[str, int] = {}
    for event in lines:
        if event.kind == "see":
            if event.revision <= before:
                what = "again, or too late" if event.revision <= cursor else "out of order"
                sentence = f"{who} got revision {event.revision} {what}: its cursor was {cursor}, the last one {before}"
                yield Violation(event.time, name, sentence, case.about(id=event.id, who=who))
            before = max(before, event.revision)
            has[event.id] = max(has.get(event.id, 0), event.revision)
            continue
        if event.revision < before:
            sentence = f"{who} was given the cursor {event.revision} after revision {before}"
            yield Violation(event.time, name, sentence, (event,))
        for revision in range(cursor + 1, event.revision + 1):
            document = case.owner.get(revision)
            if document is None or has.get(document.id, 0) >= revision:
                continue
            # It may have been changed once more already: then it comes later, in its latest state.
            following = later.get(revision)
            while following is not None and following <= event.revision:
                following = later.get(following)
            if following is None or tried_at.get(following, 0.0) > event.time:
                sentence = f"{who} went from {cursor} to {event.revision} without revision {revision}"
                yield Violation(event.time, name, sentence, (*case.about(id=document.id, who=who), event))
        cursor = before = max(cursor, event.revision)


def nothing_vanishes(case: Case) -> Iterator[Violation]:
    """I6. What was shown once is stored, at that revision, and says the same to everybody."""
    name = "I6 no dirty read"
    shown: dict[int, Event] = {}
    told = {event.revision: event for event in case.acknowledged if event.kind != "post"}
    told |= {event.sequence: event for event in case.acknowledged if event.kind == "post"}
    for id, events in case.seen.items():
        document = case.document.get(id)
        deleted_at = min((event.revision for event in events if not event.hash), default=None)
        for event in events:
            first = shown.setdefault(event.revision, event)
            ok = told.get(event.revision)
            if document is None:
                sentence = f"{event.who} was shown a message that is not stored"
            elif event.revision not in document.revisions or event.sequence != document.sequence:
                sentence = f"{event.who} was shown revision {event.revision} of a message that never had it"
            elif (first.id, first.hash) != (event.id, event.hash):
                sentence = f"{first.who} and {event.who} were shown revision {event.revision} as two different things"
            elif ok is not None and (ok.id != event.id or (ok.kind != "delete" and ok.hash != event.hash)):
                sentence = f"{event.who} was shown revision {event.revision} with another text than was acknowledged"
            elif deleted_at is not None and event.hash and event.revision > deleted_at:
                sentence = f"{event.who} was shown a deleted message with a text again"
            else:
                continue
            yield Violation(event.time, name, sentence, case.about(id=id, who=event.who))
            break


def revisions_are_dense(case: Case) -> Iterator[Violation]:
    """Every revision is given once, from 1 on; a message's sequence is its first."""
    name = "dense revisions"
    end = case.events[-1].time if case.events else 0.0
    given = sorted(revision for document in case.documents for revision in document.revisions)
    for expected, revision in enumerate(given, start=1):
        if revision != expected:
            what = "missing" if revision > expected else "given twice"
            number = min(revision, expected)
            sentence = f"revision {number} of {case.newest} is {what}"
            near = tuple(document for document in case.documents if {number, number + 1} & set(document.revisions))
            yield Violation(end, name, sentence, near)
            break
    for document in case.documents:
        if document.revisions != tuple(sorted(document.revisions)) or (
            document.revision != document.revisions[-1] or document.sequence != document.revisions[0]
        ):
            yield Violation(end, name, f"the revisions of {document.id} are not its own", (document,))


def nobody_stays_behind(case: Case) -> Iterator[Violation]:
    """After the faults end, nobody is behind for long (ten seconds) what had been acknowledged by then."""
    if case.healed_at is None:
        return
    name = "nobody behind"
    limit = case.healed_at + case.behind_seconds
    wanted = max((event.revision for event in case.acknowledged if event.time <= case.healed_at), default=0)
    for who, lines in case.views.items():
        if who.startswith("fresh"):
            continue
        reached = next((event for event in lines if event.kind == "cursor" and event.revision >= wanted), None)
        if reached is None or reached.time > limit:
            how = "never came" if reached is None else f"came after {reached.time - case.healed_at:.1f} s"
            last = [event for event in lines if event.kind == "cursor" and event.time <= limit][-1:]
            sentence = f"{who} {how} to revision {wanted}, which was acknowledged before the faults ended"
            yield Violation(limit, name, sentence, (*last, *([reached] if reached else [])))


def nobody_is_left_without_an_answer(case: Case) -> Iterator[Violation]:
    """Every write ends as stored, as refused, or with an author who gave it up; and what is asked again is answered."""
    end = case.events[-1].time if case.events else 0.0
    for (who, client_id), change in case.changes.items():
        if not change.tries:
            lines = case.about(client_id=client_id, who="-")
            yield Violation(change.first.time, "a clear outcome", f"{who} had an answer to what it never tried", lines)
        elif change.is_open:
            sentence = f"the {change.first.kind} {client_id} of {who} was never answered"
            yield Violation(end, "a clear outcome", sentence, case.about(client_id=client_id, who="-"))


def nothing_is_refused_wrongly(case: Case) -> Iterator[Violation]:
    """A cursor that the room gave is known; a message that was acknowledged is there for its author to change."""
    name = "no wrong refusal"
    known_at = {event.id: event.time for event in reversed(case.acknowledged) if event.kind == "post"}
    deleted: dict[str, float] = {}
    for event in case.events:
        if event.kind == "delete" and event.outcome == "tried":
            deleted.setdefault(event.id, event.time)
        if event.kind == "connect" and event.reason == "unknown_cursor":
            yield Violation(event.time, name, f"a cursor that the room gave to {event.who} was refused", (event,))
        is_own = event.id in known_at and event.kind in {"edit", "delete"}
        if is_own and event.reason == "not_found" and event.id not in deleted:
            sentence = f"{event.who} was told that its own message, acknowledged before, is not there"
            yield Violation(event.time, name, sentence, case.about(id=event.id, who="-"))
        if event.outcome == "failed" and event.reason in {"invalid", "too_long", "forbidden"}:
            yield Violation(
                event.time, name, f"a proper {event.kind} of {event.who} was refused as {event.reason}", (event,)
            )


def own_posts_keep_their_order(case: Case) -> Iterator[Violation]:
    """What is posted on one connection, each once, gets ascending sequences."""
    last: dict[tuple[str, int], Event] = {}
    for change in case.changes.values():
        answer = next((event for event in change.ends if event.outcome == "ok"), None)
        if change.first.kind != "post" or answer is None or len(change.tries) != 1:
            continue
        if answer.connection != change.first.connection or change.first.who.startswith("poller"):
            continue
        place = (answer.who, answer.connection)
        before = last.get(place)
        if before is not None and before.sequence > answer.sequence:
            sentence = f"{answer.who} said one thing after the other, and they are stored the other way round"
            yield Violation(answer.time, "own order", sentence, (before, change.first, answer))
        last[place] = answer


PROMISES: tuple[Promise, ...] = (
    is_durable,
    is_stored_once,
    is_not_invented,
    readers_converge,
    views_are_dense,
    nothing_vanishes,
    revisions_are_dense,
    nobody_stays_behind,
    nobody_is_left_without_an_answer,
    nothing_is_refused_wrongly,
    own_posts_keep_their_order,
)
