"""Source crawls on any number of machines: jobs in a queue of the same PostgreSQL (Procrastinate, the extra `parknews[workers]`).

A job is no more than a nudge: whether its source is due, and whether its host is free, the database says when the job runs.
So a job that is lost, doubled or late does no harm: a source that is still due is submitted again by the daemon's next tick.
A job's lock is its host, over the whole cluster; its queueing lock is its source. The queue's tables live in a database schema
of their own.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from procrastinate import App, PsycopgConnector, SyncPsycopgConnector
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException
from procrastinate.jobs import Status

from scheduler.context import Installation
from scheduler.crawls import ChildCrawl, fork_server, start_visit
from scheduler.forkserver import ForkServer, end_all
from scheduler.jobs import Clock, new_holder
from scheduler.sourcesfile import SourcesFile
from store.clock import clock_fault
from store.config import ConfigError
from store.database import PATIENCE, SQLAlchemyError, read_scope, session_scope
from store.leases import acquire, rest
from store.sources import claim_source, due_sources, find_source, hold_sources, lost_visits

logger = logging.getLogger(__name__)
#: The database schema of the queue's tables.
SCHEMA = "parknews_queue"
CRAWL, RESCUE = "crawl", "rescue"
#: Seconds between signs of life of a worker; one without them counts as dead when its claims have run out.
HEARTBEAT = 2.0
#: Seconds between looks for jobs, and the most to wait for a connection to the queue.
POLL, WAIT = 2.0, 2.0


def conninfo(url: str) -> str:
    """Return the address of the queue in the database at `url`. Raises ConfigError for a database that is not PostgreSQL."""
    scheme, _, rest = url.partition("://")
    if scheme.partition("+")[0] != "postgresql":
        raise ConfigError("workers need PostgreSQL: set [database] url = postgresql://USER@HOST/NAME")
    parts = urlsplit(f"postgresql://{rest}")
    query = [*parse_qsl(parts.query), ("options", f"-c search_path={SCHEMA}")]
    return parts._replace(query=urlencode(query).replace("+", "%20")).geturl()


def prepare(installation: Installation) -> None:
    """Make the queue's tables where there are none; may be repeated and run on several machines at once."""
    import psycopg

    with psycopg.connect(conninfo(installation.config.database_url)) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [SCHEMA])
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
        found = connection.execute("SELECT to_regclass(%s)", [f"{SCHEMA}.procrastinate_jobs"]).fetchone()
        if found and found[0] is None:
            connection.execute(App(connector=SyncPsycopgConnector()).schema_manager.get_schema())


@dataclass
class Submitter:
    """Puts what is due on the queue, in place of the daemon's own children."""

    installation: Installation
    _app: App | None = None

    def submit(self, now: datetime) -> int:
        """Queue a job for every due source that has none waiting; return how many. Raises SQLAlchemyError, ConnectorException."""
        with read_scope(self.installation.engine) as session:
            due = [(source.name, source.host) for source in due_sources(session, now)]
        return sum(self._defer(name, host) for name, host in due)

    def _defer(self, name: str, host: str) -> bool:
        task = self._opened().configure_task(
            CRAWL, queue=CRAWL, lock=f"host:{host or name}", queueing_lock=f"source:{name}"
        )
        try:
            task.defer(source=name)
        except AlreadyEnqueued:
            return False
        return True

    def _opened(self) -> App:
        if self._app is None:
            prepare(self.installation)
            self._app = App(
                connector=SyncPsycopgConnector(conninfo=conninfo(self.installation.config.database_url))
            )
            self._app.open()
        return self._app

    def close(self) -> None:
        """Give the connections back."""
        if self._app is not None:
            self._app.close()
            self._app = None


@dataclass
class Worker:
    """Takes source crawls from the queue, `at_once` of them, until SIGTERM; ends then within ten seconds."""

    installation: Installation
    clock: Clock
    at_once: int = 2
    holder: str = field(default_factory=new_holder)
    children: list[ChildCrawl] = field(default_factory=list)
    _files: SourcesFile = field(default_factory=SourcesFile)

    @cached_property
    def server(self) -> ForkServer:
        """Where children come from; it starts with the first of them."""
        return fork_server(self.installation.config)

    def run(self) -> None:
        """Work until told to stop."""
        prepare(self.installation)
        _ = self.installation.engine
        asyncio.run(self._run())
        self.server.close()

    async def _run(self) -> None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        stopping = asyncio.create_task(stop.wait())
        logger.info("worker %s started", self.holder)
        while not stop.is_set():
            life = asyncio.create_task(self._live())
            await asyncio.wait([stopping, life], return_when=asyncio.FIRST_COMPLETED)
            life.cancel()
            await asyncio.gather(life, return_exceptions=True)
            if not stop.is_set():
                logger.error("the queue fails; the worker goes on when the database answers again")
                await self._answering(stop)
        logger.info("worker %s stopped", self.holder)

    async def _live(self) -> None:
        """Work until the queue's connection is lost; the crawls that run are ended then, for nobody could keep their claims."""
        app = self._app()
        async with app.open_async():
            workers = [
                asyncio.create_task(self._work(app, CRAWL, self.at_once)),
                asyncio.create_task(self._work(app, RESCUE, 1)),
            ]
            try:
                await asyncio.wait(workers, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in workers:
                    task.cancel()
                await asyncio.gather(*workers, return_exceptions=True)

    async def _answering(self, stop: asyncio.Event) -> None:
        """Wait until the database answers or the worker is to stop."""
        while not stop.is_set():
            await asyncio.sleep(1)
            try:
                await asyncio.to_thread(self._ask)
            except SQLAlchemyError:
                continue
            logger.info("the database answers again")
            return

    def _ask(self) -> None:
        with read_scope(self.installation.engine) as session:
            find_source(session, "")

    async def _work(self, app: App, queue: str, at_once: int) -> None:
        await app.run_worker_async(
            queues=[queue], name=queue, concurrency=at_once, install_signal_handlers=False, delete_jobs="always",
            fetch_job_polling_interval=POLL, update_heartbeat_interval=HEARTBEAT,
            stalled_worker_timeout=self._hold.total_seconds(), shutdown_graceful_timeout=0.1,
        )  # fmt: skip

    def _app(self) -> App:
        url = conninfo(self.installation.config.database_url)
        app = App(connector=PsycopgConnector(conninfo=url, timeout=WAIT, kwargs=dict(PATIENCE)))

        @app.task(name=CRAWL, queue=CRAWL)
        async def crawl(source: str) -> None:
            await self.crawl(source)

        @app.periodic(cron="* * * * * */3")
        @app.task(name=RESCUE, queue=RESCUE, queueing_lock=RESCUE)
        async def rescue(timestamp: int) -> None:  # noqa: ARG001  the moment it was due
            await self.rescue(app)

        return app

    async def rescue(self, app: App) -> None:
        """Put the jobs of workers that died back on the queue, so that their hosts are free and their sources are visited.

        Their claims last as long as a worker without signs of life counts as living, and a heartbeat longer at most.
        """
        if not self.children:
            self.server.rest()
        manager = app.job_manager
        for job in await manager.get_stalled_jobs(seconds_since_heartbeat=self._hold.total_seconds()):
            logger.warning("a worker died over %s", job.queueing_lock)
            try:
                await manager.retry_job(job, self.clock() + timedelta(seconds=HEARTBEAT))
            except ConnectorException:  # its source was submitted again meanwhile
                await manager.finish_job(job, Status.FAILED, delete_job=True)

    async def crawl(self, name: str) -> None:
        """Visit one source in a child process, when it is due and nobody else visits its host."""
        child = await asyncio.to_thread(self._claim, name)
        if child is None:
            return
        self.children.append(child)
        cut_off = True  # by a stop, or by the loss of the queue
        try:
            await self._watch(child)
            cut_off = False
        finally:
            self.children.remove(child)
            await asyncio.shield(asyncio.to_thread(self._settle, child, cut_off=cut_off))

    def _claim(self, name: str) -> ChildCrawl | None:
        """Return the crawl of a source that is ours now, None when it is not to be visited now."""
        now = self.clock()
        if fault := clock_fault(now):
            logger.error("crawl of %s: %s", name, fault)
            return None
        definition = self._files.read(self.installation.config).get(name)
        if definition is None:
            logger.warning("crawl of %s: this machine's sources file has no such source", name)
            return None
        with session_scope(self.installation.engine) as session:
            source = find_source(session, name)
            if source is None or not source.enabled or (source.next_check_at and source.next_check_at > now):
                return None
            host = source.host
            if host and not acquire(
                session, f"host:{host}", self.holder_of(name), now, self._hold.total_seconds()
            ):
                return None
            if not claim_source(session, source, now, self._hold):
                return None
        return ChildCrawl(name, host, now + self._hold, start_visit(self.server, definition, source.id))

    def holder_of(self, name: str) -> str:
        """Return who holds the host of a source: two sources of one host never share a lease."""
        return f"{self.holder}:{name}"

    @property
    def _hold(self) -> timedelta:
        return timedelta(seconds=self.installation.config.daemon.lease_seconds)

    async def _watch(self, child: ChildCrawl) -> None:
        """Wait for the child, prolong its claims meanwhile, end it when it takes too long; then keep the host's delay."""
        renewed = asyncio.get_running_loop().time()
        while not child.ended(self.installation.config.crawl.wall_seconds):
            await asyncio.sleep(0.2)
            if asyncio.get_running_loop().time() - renewed > self._hold.total_seconds() / 3:
                renewed = asyncio.get_running_loop().time()
                await self._lasting(lambda: asyncio.to_thread(self._keep, child))
        await asyncio.sleep(self.installation.config.crawl.delay)

    @staticmethod
    async def _lasting(call: Callable[[], Awaitable[Any]]) -> None:
        try:
            await call()
        except (SQLAlchemyError, ConnectorException) as error:
            logger.warning("the claim could not be prolonged: %s", error)

    def _keep(self, child: ChildCrawl) -> None:
        now = self.clock()
        until = now + self._hold
        with session_scope(self.installation.engine) as session:
            hold_sources(session, [child.name], child.held_until, until)
            if child.host:
                acquire(
                    session,
                    f"host:{child.host}",
                    self.holder_of(child.name),
                    now,
                    self._hold.total_seconds(),
                )
        child.held_until = until

    def _settle(self, child: ChildCrawl, *, cut_off: bool) -> None:
        """End the child if it runs, record a visit that left no record, give the host up.

        What was cut off before it could write one is visited again when its claim runs out.
        """
        end_all([child.child])
        with session_scope(self.installation.engine) as session:
            if (
                not cut_off
                and not child.unrecorded
                and lost_visits(session, [child.name], child.held_until, self.clock(), child.fate)
            ):
                logger.error("crawl of %s: %s", child.name, child.fate, extra={"source": child.name})
            if child.host:
                delay = self.installation.config.crawl.delay if cut_off else 0  # otherwise it has been kept
                rest(session, f"host:{child.host}", self.holder_of(child.name), self.clock(), delay)
