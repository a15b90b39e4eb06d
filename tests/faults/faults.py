"""Do to the room what the schedule says, and undo it.

Each fault is one function; it has ended, and is undone, when the function returns.
"""

import asyncio
import contextlib
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from pymongo.errors import PyMongoError

from tests.faults.app import App
from tests.faults.chatter import Chatter
from tests.faults.replica import Client, Node, ReplicaSet
from tests.faults.schedule import Planned

CLOCK_JUMP_SECONDS = 3600
WHOLE_SECONDS = 60.0


class World:
    """What faults are done to."""

    def __init__(self, replica: ReplicaSet, apps: Sequence[App], chatters: Sequence[Chatter]) -> None:
        self.replica = replica
        self.apps = apps
        self.chatters = chatters
        self.is_restarting = asyncio.Lock()
        """So that the two lanes do not both end and start the same app process."""


async def commit(world: World, planned: Planned) -> None:
    """Do a fault, let it last, undo it, and wait until the part that it struck is whole."""
    rng = random.Random(planned.seed)
    await FAULTS[planned.kind](world, rng, planned.lasts_seconds)
    if planned.lane == "database":
        await world.replica.wait_until_whole(WHOLE_SECONDS)


async def kill_the_primary(world: World, rng: random.Random, seconds: float) -> None:
    await _kill([await world.replica.primary(WHOLE_SECONDS)], seconds)


async def kill_a_secondary(world: World, rng: random.Random, seconds: float) -> None:
    await _kill([rng.choice(await world.replica.secondaries())], seconds)


async def kill_all_nodes(world: World, rng: random.Random, seconds: float) -> None:
    await _kill(world.replica.nodes, seconds)


async def freeze_the_primary(world: World, rng: random.Random, seconds: float) -> None:
    await _freeze([await world.replica.primary(WHOLE_SECONDS)], seconds)


async def freeze_a_secondary(world: World, rng: random.Random, seconds: float) -> None:
    await _freeze([rng.choice(await world.replica.secondaries())], seconds)


async def freeze_two_nodes(world: World, rng: random.Random, seconds: float) -> None:
    await _freeze(await world.replica.secondaries(), seconds)


async def freeze_all_nodes(world: World, rng: random.Random, seconds: float) -> None:
    await _freeze(world.replica.nodes, seconds)


async def depose_a_lonely_primary(world: World, rng: random.Random, seconds: float) -> None:
    """The others cannot fetch from the primary, which the app still reaches; then it dies.

    What it took meanwhile is lost with it: nobody may have been told that it is stored. (Freezing the others would
    not do: what the primary sends them waits in the kernel, and they read it when they wake.)
    """
    primary = await world.replica.primary(WHOLE_SECONDS)
    primary.proxy.hold(["node"])
    await asyncio.sleep(seconds)
    primary.process.kill()
    primary.proxy.reset()
    primary.proxy.heal()
    await world.replica.primary(WHOLE_SECONDS)
    await asyncio.sleep(seconds)
    primary.process.start()


async def step_down(world: World, rng: random.Random, seconds: float) -> None:
    await _step_down(await world.replica.primary(WHOLE_SECONDS))


async def rolling_restart(world: World, rng: random.Random, seconds: float) -> None:
    """As one updates a replica set: the secondaries first, then the primary, each with SIGTERM."""
    primary = await world.replica.primary(WHOLE_SECONDS)
    for node in [*(each for each in world.replica.nodes if each is not primary), primary]:
        node.process.terminate()
        for _ in range(300):
            if not node.process.is_running:
                break
            await asyncio.sleep(0.05)
        node.process.kill()
        await asyncio.sleep(seconds)
        node.process.start()
        await world.replica.wait_until_whole(WHOLE_SECONDS)


async def partition_the_primary(world: World, rng: random.Random, seconds: float) -> None:
    """Nobody reaches it any more, neither the app nor the other nodes; it reaches them."""
    primary = await world.replica.primary(WHOLE_SECONDS)
    primary.proxy.hold()
    await asyncio.sleep(seconds)
    primary.proxy.heal()


async def partition_the_app(world: World, rng: random.Random, seconds: float) -> None:
    """The nodes see each other, and the app does not see the primary."""
    primary = await world.replica.primary(WHOLE_SECONDS)
    primary.proxy.hold(["app"], rng.choice([("up", "down"), ("down",)]))
    await asyncio.sleep(seconds)
    primary.proxy.heal()


async def slow_database(world: World, rng: random.Random, seconds: float) -> None:
    for node in world.replica.nodes:
        node.proxy.delay_seconds = rng.uniform(0.02, 0.2)
    await asyncio.sleep(seconds)
    for node in world.replica.nodes:
        node.proxy.heal()


async def scatter_the_database(world: World, rng: random.Random, seconds: float) -> None:
    """What one connection says first, another may say before: a change stream is later than the writes, or earlier."""
    for node in world.replica.nodes:
        node.proxy.scatter_seconds = rng.uniform(0.1, 0.4)
        for link in node.proxy.links:
            link.lateness = rng.random() ** 2 if link.kind == "app" else 0.0
    await asyncio.sleep(seconds)
    for node in world.replica.nodes:
        node.proxy.heal()


async def kill_the_change_streams(world: World, rng: random.Random, seconds: float) -> None:
    """Kill them on the server, as soon as they are open again: a process hears of the others late, or not at all."""

    def kill(primary: Node) -> None:
        deadline = time.monotonic() + seconds
        with contextlib.suppress(PyMongoError), primary.client(seconds + 5) as client:
            while time.monotonic() < deadline:
                _kill_streams(client)
                time.sleep(0.02)

    await asyncio.to_thread(kill, await world.replica.primary(WHOLE_SECONDS))


def _kill_streams(client: Client) -> None:
    look: list[dict[str, Any]] = [
        {"$currentOp": {"allUsers": True, "idleCursors": True, "localOps": True}},
        {"$match": {"cursor.originatingCommand.pipeline.0.$changeStream": {"$exists": True}}},
    ]
    for found in client.admin.aggregate(look):
        if found["type"] == "idleCursor":
            database, _, collection = found["ns"].partition(".")
            client[database].command("killCursors", collection, cursors=[found["cursor"]["cursorId"]])
        else:
            client.admin.command("killOp", op=found["opid"])


async def reset_the_databases_connections(world: World, rng: random.Random, seconds: float) -> None:
    for node in world.replica.nodes:
        node.proxy.reset(["app"])


async def fill_a_disk(world: World, rng: random.Random, seconds: float) -> None:
    await _fill([rng.choice(world.replica.nodes)], seconds)


async def fill_all_disks(world: World, rng: random.Random, seconds: float) -> None:
    await _fill(world.replica.nodes, seconds)


async def restart_an_app_without_a_database(world: World, rng: random.Random, seconds: float) -> None:
    """Its first request finds no database: it has to say so in time, and to recover alone."""
    async with world.is_restarting:
        app = rng.choice(world.apps)
        app.thaw()
        app.kill()
        for node in world.replica.nodes:
            node.process.freeze()
        try:
            app.start()
            await asyncio.sleep(seconds)  # the probe watches what it answers meanwhile
        finally:
            for node in world.replica.nodes:
                node.process.thaw()
        await app.wait_until_alive()


async def kill_an_app(world: World, rng: random.Random, seconds: float) -> None:
    async with world.is_restarting:
        app = rng.choice(world.apps)
        app.kill()
        await asyncio.sleep(seconds)
        app.start()
        await app.wait_until_alive()


async def kill_an_app_in_a_burst(world: World, rng: random.Random, seconds: float) -> None:
    """While many drafts are on their way."""
    for chatter in world.chatters:
        chatter.hurry(rng.randint(2, 8))
    await asyncio.sleep(rng.uniform(0.0, 0.05))
    await kill_an_app(world, rng, seconds)


async def freeze_an_app(world: World, rng: random.Random, seconds: float) -> None:
    async with world.is_restarting:
        app = rng.choice(world.apps)
        app.freeze()
        await asyncio.sleep(seconds)
        app.thaw()


async def stop_an_app(world: World, rng: random.Random, seconds: float) -> None:
    """As a deployment does: SIGTERM, and the next one."""
    async with world.is_restarting:
        app = rng.choice(world.apps)
        await app.stop()
        await asyncio.sleep(seconds)
        app.start()
        await app.wait_until_alive()


async def jump_ahead(world: World, rng: random.Random, seconds: float) -> None:
    await _jump(rng.choice(world.apps), CLOCK_JUMP_SECONDS, seconds)


async def jump_back(world: World, rng: random.Random, seconds: float) -> None:
    await _jump(rng.choice(world.apps), -CLOCK_JUMP_SECONDS, seconds)


async def freeze_clients(world: World, rng: random.Random, seconds: float) -> None:
    chosen = rng.sample(list(world.chatters), max(1, len(world.chatters) // 3))
    for chatter in chosen:
        chatter.freeze()
    await asyncio.sleep(seconds)
    for chatter in chosen:
        chatter.thaw()


async def cut_in_a_frame(world: World, rng: random.Random, seconds: float) -> None:
    """Let some bytes more through, either way, then reset: in the middle of a frame and of a segment."""
    for app in world.apps:
        for link in list(app.proxy.links):
            if rng.random() < 0.5:
                link.cut(rng.choice(["up", "down"]), rng.randint(1, 300))


async def cut_answers(world: World, rng: random.Random, seconds: float) -> None:
    """Everybody's next answer is lost with its connection, after the post has gone through."""
    for app in world.apps:
        for link in list(app.proxy.links):
            link.cut("down", rng.randint(1, 40))
    for chatter in world.chatters:
        chatter.hurry(2)


async def drip(world: World, rng: random.Random, seconds: float) -> None:
    """A few bytes at a time."""
    proxy = rng.choice(world.apps).proxy
    proxy.is_dripping = True
    await asyncio.sleep(seconds)
    proxy.heal()


async def delay_and_reorder(world: World, rng: random.Random, seconds: float) -> None:
    """Each connection is late by another time: what was sent first on one may arrive last on another."""
    for app in world.apps:
        app.proxy.scatter_seconds = rng.uniform(0.1, 0.8)
    await asyncio.sleep(seconds)
    for app in world.apps:
        app.proxy.heal()


async def black_hole(world: World, rng: random.Random, seconds: float) -> None:
    proxy = rng.choice(world.apps).proxy
    proxy.hold()
    await asyncio.sleep(seconds)
    proxy.heal()


async def swallow_answers(world: World, rng: random.Random, seconds: float) -> None:
    """What people send arrives; what they should hear does not, and then the connection ends."""
    proxy = rng.choice(world.apps).proxy
    proxy.hold(directions=["down"])
    await asyncio.sleep(seconds)
    proxy.reset()
    proxy.heal()


async def reset_all_connections(world: World, rng: random.Random, seconds: float) -> None:
    for app in world.apps:
        app.proxy.reset()


async def reconnect_storm(world: World, rng: random.Random, seconds: float) -> None:
    """Everybody leaves and comes back, several times within a moment."""
    for _ in range(5):
        for chatter in world.chatters:
            await chatter.hang_up()
        await asyncio.sleep(rng.uniform(0.05, 0.4))


async def _kill(nodes: Sequence[Node], seconds: float) -> None:
    for node in nodes:
        node.process.kill()
    await asyncio.sleep(seconds)
    for node in nodes:
        node.process.start()


async def _freeze(nodes: Sequence[Node], seconds: float) -> None:
    for node in nodes:
        node.process.freeze()
    await asyncio.sleep(seconds)
    for node in nodes:
        node.process.thaw()


async def _fill(nodes: Sequence[Node], seconds: float) -> None:
    """Fill the disks, wait until the nodes have died of it, then free them and start the nodes again."""
    for node in nodes:
        await asyncio.to_thread(node.disk.fill)
    for _ in range(400):
        if not any(node.process.is_running for node in nodes):
            break
        await asyncio.sleep(0.05)
    await asyncio.sleep(seconds)
    for node in nodes:
        node.disk.free()
        if not node.process.is_running:
            node.process.start()


async def _step_down(node: Node) -> None:
    def ask() -> None:
        try:
            with node.client(10) as client:
                client.admin.command("replSetStepDown", 5, secondaryCatchUpPeriodSecs=3, force=True)
        except PyMongoError:
            return  # it closes our connection too

    await asyncio.to_thread(ask)


async def _jump(app: App, jump: int, seconds: float) -> None:
    app.set_clock(jump)
    await asyncio.sleep(seconds)
    app.set_clock(0)


async def leave_alone(world: World, rng: random.Random, seconds: float) -> None:
    """Nothing: for runs in which the product itself is what is broken."""
    await asyncio.sleep(seconds)


Fault = Callable[[World, random.Random, float], Awaitable[None]]

FAULTS: dict[str, Fault] = {
    "kill the primary": kill_the_primary,
    "kill a secondary": kill_a_secondary,
    "kill all nodes": kill_all_nodes,
    "freeze the primary": freeze_the_primary,
    "freeze a secondary": freeze_a_secondary,
    "freeze two nodes": freeze_two_nodes,
    "freeze all nodes": freeze_all_nodes,
    "depose a lonely primary": depose_a_lonely_primary,
    "step down": step_down,
    "rolling restart": rolling_restart,
    "partition the primary": partition_the_primary,
    "partition the app from the primary": partition_the_app,
    "slow database": slow_database,
    "scatter the database's answers": scatter_the_database,
    "kill the change streams": kill_the_change_streams,
    "reset the database's connections": reset_the_databases_connections,
    "fill a disk": fill_a_disk,
    "fill all disks": fill_all_disks,
    "restart an app without a database": restart_an_app_without_a_database,
    "kill an app": kill_an_app,
    "kill an app in a burst": kill_an_app_in_a_burst,
    "freeze an app": freeze_an_app,
    "stop an app": stop_an_app,
    "jump the clock ahead": jump_ahead,
    "jump the clock back": jump_back,
    "freeze clients": freeze_clients,
    "cut connections in a frame": cut_in_a_frame,
    "cut answers": cut_answers,
    "drip": drip,
    "delay and reorder": delay_and_reorder,
    "black hole": black_hole,
    "swallow answers": swallow_answers,
    "reset all connections": reset_all_connections,
    "reconnect storm": reconnect_storm,
    "leave alone": leave_alone,
}
