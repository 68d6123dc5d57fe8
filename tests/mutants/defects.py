"""The list: what would go wrong, and the change to one file that makes it so. A change must fit exactly once."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Defect:
    """Replace `old` by `new` in `file`, and some test must fail."""

    name: str
    file: str
    old: str
    new: str
    suite: str | None = None
    """Asked first: what only a real broker shows, the usual suites cannot notice."""


ENGINE = "service/engine/"
SYSTEMS = "service/systems/"

DEFECTS = (
    Defect(
        "the offset moves before the result is stored",
        ENGINE + "commits.py",
        "        self._outbox.append(Ended(outcome, plan))\n",
        "        self._offsets.finish(outcome.record.offset)\n        self._outbox.append(Ended(outcome, plan))\n",
    ),
    Defect(
        "a commit that failed is not written again",
        ENGINE + "commits.py",
        "                if stored:\n                    self._stored()\n",
        "                self._stored()\n",
    ),
    Defect(
        "a position that follows its results says what is not published",
        ENGINE + "storing.py",
        "        if not await self._done(ahead.publish(batch.records())):\n            return False\n",
        "        await self._done(ahead.publish(batch.records()))\n",
    ),
    Defect(
        "a drain does not wait for a position that follows its results",
        ENGINE + "commits.py",
        "                    if not self._batch:\n                        self._empty.set()\n",
        "                    self._empty.set()\n",
    ),
    Defect(
        "a mark does not take along what is published and waits for its position",
        ENGINE + "commits.py",
        "        waited_for = batch.marks or batch.entries or self._emptying\n",
        "        waited_for = batch.entries or self._emptying\n",
    ),
    Defect(
        "a commit that is given up keeps its turn",
        ENGINE + "pacing.py",
        "            except asyncio.CancelledError:\n                self.end()\n",
        "            except asyncio.CancelledError:\n",
    ),
    Defect(
        "of positions that are committed together, one that is refused decides for all",
        "service/kafka/shared_stores.py",
        "                if error is None or len(wanted) == 1 or",
        "                if True or",
    ),
    Defect(
        "a request leaves while it is in doubt whose the partition is",
        ENGINE + "lease.py",
        "        while not self._certain.is_set():\n",
        "        while False:\n",
    ),
    Defect(
        "the requests of an attempt do not ask whose the partition is",
        ENGINE + "processing.py",
        "job.mark, attempt, may_leave, job.journal, since",
        "job.mark, attempt, journal=job.journal, replayed_since=since",
    ),
    Defect(
        "requests of an export leave while the group rebalances",
        ENGINE + "processing.py",
        "self._ask(course, job, job.lease.opened)",
        "self._ask(course, job, job.lease.may_leave)",
    ),
    Defect(
        "a rebalance does not wait for the name of an export",
        ENGINE + "processing.py",
        "        if _looks_at_export(course.remaining):\n",
        "        if job.journal is not None:\n",
    ),
    Defect(
        "a worker that stops breaks off the request that asks for an export",
        ENGINE + "rest.py",
        "job.journal is not None and not job.ordering\n",
        "job.journal is not None\n",
    ),
    Defect(
        "a replayed dead letter is taken for an event that is new",
        ENGINE + "worker.py",
        "        attempted = replay is not None or owned.was_attempted(record)\n",
        "        attempted = owned.was_attempted(record)\n",
    ),
    Defect(
        "a replay does not look for what was replayed before",
        "service/letters/replaying.py",
        '            self._spool.note_replay(replay.place, stored.key, stored.value, f"{partition}@{stored.offset}")\n',
        "            pass\n",
    ),
    Defect(
        "a mark is not waited for",
        ENGINE + "commits.py",
        "        await stored\n        self._marked.add(offset)\n",
        "        self._marked.add(offset)\n",
    ),
    Defect(
        "a mark is not stored",
        ENGINE + "offsets.py",
        "        if offset in self._pending:\n            self._attempted.add(offset)\n",
        "        return\n",
    ),
    Defect(
        "finished work beyond the frontier is forgotten",
        ENGINE + "commit_metadata.py",
        "    return Position(frontier, completed, attempted, progress, notes)",
        "    return Position(frontier, (), attempted, progress, notes)",
    ),
    Defect(
        "marks of an earlier owner are forgotten",
        ENGINE + "offsets.py",
        "        self._attempted = set(start.attempted)\n",
        "        self._attempted: set[int] = set()\n",
    ),
    Defect(
        "metadata of another offset is believed",
        ENGINE + "commit_metadata.py",
        "zlib.crc32(f'{version}:{frontier}'.encode())",
        "zlib.crc32(version.encode())",
    ),
    Defect(
        "a lane is left before the call has ended",
        ENGINE + "worker.py",
        "            outcome = await self._processing.process(job, company)\n",
        "            self._leave(job, owned)\n            outcome = await self._processing.process(job, company)\n",
    ),
    Defect(
        "writers of one entity run together",
        ENGINE + "lanes.py",
        "        granted = not self.stands or (not writes and not self.writers)\n",
        "        granted = True\n",
    ),
    Defect(
        "a record of an assignment that is over is taken",
        ENGINE + "worker.py",
        "owned.epoch != record.epoch",
        "owned.epoch < 0",
    ),
    Defect(
        "a partition that came back after an expulsion counts as kept",
        ENGINE + "worker.py",
        "if epochs.get(partition) != owned.epoch]",
        "if partition not in epochs]",
    ),
    Defect(
        "what an earlier owner finished is done again",
        ENGINE + "offsets.py",
        "            self._finished.add(offset, offset + 1)\n            return Receipt.FINISHED\n",
        "            pass\n",
    ),
    Defect(
        "calls start while the group rebalances",
        ENGINE + "lease.py",
        "        self._held = True\n",
        "        self._held = False\n",
    ),
    Defect(
        "a suspended worker calls before it has proved its partitions",
        ENGINE + "lease.py",
        "        self._doubtful = True\n",
        "        self._doubtful = False\n",
    ),
    Defect(
        "a silence of the group goes unnoticed",
        ENGINE + "hearing.py",
        "            self._lost(seconds)\n",
        "            pass\n",
    ),
    Defect(
        "a worker publishes while its group is silent",
        ENGINE + "lease.py",
        "        while not self._touch.is_set():\n",
        "        while False:\n",
    ),
    Defect(
        "a heartbeat without an answer passes for one",
        "service/kafka/background.py",
        "        if is_member:\n",
        "        if sent_at:\n",
    ),
    Defect(
        "a worker that knows that it was expelled goes on",
        ENGINE + "worker.py",
        '            owned.lease.bar("the group has gone on without us")\n',
        "            owned.lease.hold()\n",
    ),
    Defect(
        "nobody hears that the group knows us no more",
        "service/kafka/background.py",
        "        reset()\n        expelled()\n",
        "        reset()\n",
    ),
    Defect(
        "an assignment that comes late passes for a fresh one",
        "service/kafka/source.py",
        "        self._confirmed_at = self._joining_at\n",
        "        self._confirmed_at = suspend_aware_clock()\n",
    ),
    Defect(
        "a suspension goes unnoticed",
        ENGINE + "pulse.py",
        "        if missed > self._limit_seconds:\n",
        "        if missed < 0:\n",
    ),
    Defect(
        "a worker that slept calls before its pulse is felt",
        ENGINE + "lease.py",
        "        self._feel_pulse()\n        while not self._open.is_set():\n",
        "        while not self._open.is_set():\n",
    ),
    Defect(
        "a worker that was replaced while its mark was being stored transfers",
        ENGINE + "partition.py",
        "        await self.lease.may_leave()  # the worker may have slept while the mark was stored\n",
        "",
    ),
    Defect(
        "a claim that was overtaken by a sleep is believed",
        ENGINE + "vigil.py",
        "        if self._awoke_at + self._limits.suspension_seconds > claim_began_at:\n",
        "        if self._awoke_at > math.inf:\n",
    ),
    Defect(
        "a worker that woke up publishes before it has proved its partition",
        ENGINE + "commits.py",
        "        await self._check()\n        while (proved",
        "        while (proved",
    ),
    Defect(
        "a commit loop stores something after its partition was given up",
        ENGINE + "lease.py",
        "        if self._ended.is_set():\n            raise OwnershipLost(self._why)\n",
        "",
    ),
    Defect(
        "a proof that could not be stored is believed",
        ENGINE + "commits.py",
        "            if stored and self._proof_due is proved:",
        "            if self._proof_due is proved:",
    ),
    Defect(
        "a member that was expelled publishes what the next owner has published",
        "service/kafka/shared_stores.py",
        "        if member_id_of(self.consumer) != self._member_id:\n",
        "        if not self._member_id:\n",
    ),
    Defect(
        "records that were fetched before a seek are handed on after it",
        "service/kafka/source.py",
        "            and self._seeks[partition] == seeks[partition]  #",
        "            #",
    ),
    Defect(
        "a commit that was fenced is tried again",
        ENGINE + "storing.py",
        "        except StoreUnavailable as error:\n",
        "        except (StoreUnavailable, OwnershipLost) as error:\n",
    ),
    Defect(
        "an attempt is repeated without end",
        ENGINE + "retry.py",
        "    if budget.attempts >= policy.max_attempts:\n        return None\n",
        "",
    ),
    Defect(
        "repeats know no bound but their own",
        ENGINE + "retry_allowance.py",
        "        if self._left < 1:\n            return False\n",
        "",
    ),
    Defect(
        "a repeat that waits for its turn pays for it",
        ENGINE + "processing.py",
        "            await gate.await_repeat(job.lease)\n        waited_seconds = now() -",
        "            await gate.await_repeat(job.lease)\n            arrived_at = now()\n"
        "        waited_seconds = now() -",
    ),
    Defect(
        "an outcome that cannot be stored counts as finished",
        ENGINE + "commits.py",
        "        self._offsets.reopen({told",
        "        dict({told",
    ),
    Defect(
        "outcomes are stored before one of the same entity that is held",
        ENGINE + "commit_batch.py",
        "            elif holding.holds_back(told.ended.plan):\n",
        "            elif False:\n",
    ),
    Defect(
        "outcomes that come later are stored before one of the same entity that is held",
        ENGINE + "commits.py",
        "            if self._holding.holds_back(ended.plan):\n",
        "            if False:\n",
    ),
    Defect(
        "what is held is tried again behind what has come since",
        ENGINE + "commits.py",
        "        self._outbox.extendleft(reversed(self._holding.release()))\n",
        "        self._outbox.extend(self._holding.release())\n",
    ),
    Defect(
        "an export whose outcome cannot be stored forgets how far it has come",
        ENGINE + "offsets.py",
        "            self._progress[offset] = remembered.rows\n",
        "            pass\n",
    ),
    Defect(
        "a topic that was made anew is passed over",
        ENGINE + "worker.py",
        "            self._begun_anew(owned, record)\n",
        "            pass\n",
    ),
    Defect(
        "rows of an export are not counted with the commit that publishes them",
        ENGINE + "commits.py",
        "                self._offsets.publish_rows(entry.offset, len(entry.rows))\n",
        "                pass\n",
    ),
    Defect(
        "rows of an export that were published are not passed over",
        SYSTEMS + "export_publication.py",
        "        self._before = self._to_skip = journal.rows\n",
        "        self._before = self._to_skip = 0\n",
    ),
    Defect(
        "an export is asked for without a note",
        SYSTEMS + "holdingsiq.py",
        "            note = ExportNote(asked_at)\n            await journal.keep(note.text)\n",
        "            note = ExportNote(asked_at)\n",
    ),
    Defect(
        "a note of an export is not waited for",
        ENGINE + "commits.py",
        "        await entry.stored\n",
        "        if note is None:\n            await entry.stored\n",
    ),
    Defect(
        "notes of an earlier owner on its exports are forgotten",
        ENGINE + "offsets.py",
        "        self._notes = dict(start.notes)\n",
        "        self._notes: dict[int, str] = {}\n",
    ),
    Defect(
        "an export whose answer was lost is asked for again without a look at the list",
        SYSTEMS + "holdingsiq.py",
        "        if context.uncertain and not is_first:\n",
        "        if False:\n",
    ),
    Defect(
        "nobody remembers which export was asked for",
        SYSTEMS + "holdingsiq.py",
        "        await journal.keep(note.text)\n        return _named(step, note)\n",
        "        return _named(step, note)\n",
    ),
    Defect(
        "the result of an export does not wait for its last rows",
        SYSTEMS + "export_publication.py",
        "            await self._send()\n        await self._published()\n",
        "            await self._send()\n",
    ),
    Defect(
        "the result of an export lies before rows of its commit",
        ENGINE + "commit_batch.py",
        "        return rows + [record for told in self.told[self.told_published :] for record in told.records]\n",
        "        return [record for told in self.told[self.told_published :] for record in told.records] + rows\n",
    ),
    Defect(
        "no fresh link to the file of an export is asked for",
        SYSTEMS + "holdingsiq.py",
        "LINKS: Final = 3\n",
        "LINKS: Final = 1\n",
    ),
    Defect(
        "a file of an export that was cut off counts as whole",
        SYSTEMS + "downloads.py",
        "        if self.length is not None and received < self.length:\n",
        "        if self.length is None:\n",
    ),
    Defect(
        "a download of an export does not ask whose the partition is",
        SYSTEMS + "holdingsiq.py",
        "self._downloads.open(record.link, context.traceparent, context.may_leave)",
        "self._downloads.open(record.link, context.traceparent)",
    ),
    Defect(
        "an export is gone on with in another file",
        SYSTEMS + "export_publication.py",
        "        if passed and not self._to_skip and self._note.check not in",
        "        if False and self._note.check not in",
    ),
    Defect(
        "the rest of another file is taken for that of an export",
        SYSTEMS + "resumed_downloads.py",
        "        and answer.etag == first.etag\n",
        "",
    ),
    Defect(
        "an update overtakes one that cannot leave with it",
        ENGINE + "lanes.py",
        "or not fits(other):\n                break\n",
        "or not fits(other):\n                continue\n",
    ),
    Defect(
        "updates leave together without asking for the partition of each",
        ENGINE + "company.py",
        "        for member in self.members:\n            await member.lease.may_leave()\n"
        "        for member in self.members:\n            member.lease.check()",
        "        await self._leader.lease.may_leave()\n        for member in self.members[:1]:\n"
        "            member.lease.check()",
    ),
    Defect(
        "a rebalance does not wait for those who are taken along",
        ENGINE + "company.py",
        "                calls.enter_context(follower.lease.under_way())\n",
        "                pass\n",
    ),
    Defect(
        "what was refused together is tried together again",
        ENGINE + "company.py",
        "            follower.apart = True\n",
        "            pass\n",
    ),
    Defect(
        "one that was taken along forgets that it may have been applied",
        ENGINE + "company.py",
        "            follower.attempted |= uncertain\n",
        "",
    ),
    Defect(
        "one PUT for several updates carries the last one alone",
        SYSTEMS + "eholdings_merging.py",
        "        want |= update.want\n",
        "        want = dict(update.want)\n",
    ),
    Defect(
        "an update joins a deselection",
        SYSTEMS + "eholdings_merging.py",
        "state.is_selected and after.is_selected and ",
        "",
    ),
    Defect(
        "a refusal of one PUT for several updates is told to all of them",
        SYSTEMS + "eholdings_together.py",
        "        return Joint(count, uncertain=applied)\n",
        "        return Joint(count, (decision,) * count)\n",
    ),
    Defect(
        "a queue at the system does not make the limit shrink",
        ENGINE + "adaptive.py",
        "        if share < 1:\n",
        "        if share < 0:\n",
    ),
    Defect(
        "a slot is lost with one who gives up as it gets it",
        ENGINE + "slots.py",
        "                self.give_back()\n            raise",
        "                pass\n            raise",
    ),
    Defect(
        "Retry-After is not heeded",
        ENGINE + "retry.py",
        "        pause = max(pause, retry_after_seconds)\n",
        "        pause = pause\n",
    ),
    Defect(
        "waiting for credentials spends attempts",
        ENGINE + "processing.py",
        "        if not isinstance(answer, Denied | Pending):\n",
        "        if not isinstance(answer, Pending):\n",
    ),
    Defect(
        "everybody probes an open circuit",
        ENGINE + "circuit.py",
        "        if self.probing or now < self.probe_at:\n",
        "        if now < self.probe_at:\n",
    ),
    Defect(
        "one poisonous record opens the circuit for all",
        ENGINE + "circuit.py",
        "        if len(self._stumbled) < self._policy.failing_records:\n            return False\n",
        "",
    ),
    Defect(
        "an applied transfer is reported as refused",
        "service/systems/scsb.py",
        "answers_of(transfer, result.json(), uncertain=context.uncertain)",
        "answers_of(transfer, result.json(), uncertain=False)",
    ),
    Defect(
        "a transfer leaves without its mark",
        "service/systems/scsb.py",
        "        await context.mark()\n",
        "",
    ),
    Defect(
        "an eholdings PUT leaves out the coverages",
        "service/systems/eholdings_overlay.py",
        '        "customCoverages": _coverages_out(after["customCoverages"]),\n',
        "",
    ),
    Defect(
        "a secret header reaches the dead letters",
        "service/kafka/records_out.py",
        " if not is_secret(name))",
        " if name)",
    ),
    Defect(
        "the circulation status of an item is overwritten",
        "service/translation/inventory.py",
        '    return {**instructions, "item": {**item, "status": _RETAIN_STATUS}}\n',
        "    return instructions\n",
    ),
    Defect(
        "words are looked for in an answer at any depth",
        "service/systems/messages.py",
        "    if depth > _MAX_DEPTH:\n        return\n",
        "",
    ),
    Defect(
        "a length in the metadata is believed",
        ENGINE + "commit_metadata.py",
        "islice(payload, min(count, MAX_BYTES))",
        "islice(payload, count)",
    ),
    Defect(
        "a record whose retry has begun is still told as one that waits for it",
        ENGINE + "processing.py",
        "        job.repeat = None\n        course.asked_at = job.now()",
        "        course.asked_at = job.now()",
    ),
    Defect(
        "a partition that is resumed waits half a second for a fetch of the others that finds nothing",
        "service/kafka/source.py",
        "            fetch_max_wait_ms=FETCH_WAIT_MS,\n",
        "",
        "tests/contract/test_brokers.py",
    ),
    Defect(
        "whether a request may leave is asked before its connection is opened",
        SYSTEMS + "leaving.py",
        "        request.extensions[EXTENSION] = may_leave\n",
        "        await may_leave()\n",
    ),
    Defect(
        "a transport does not ask whether a request may leave",
        SYSTEMS + "transport/http1.py",
        "    if request.may_leave is not None:\n",
        "    if False:\n",
    ),
    Defect(
        "a kept connection is used without a look at what has come on it",
        SYSTEMS + "transport/connection.py",
        "self.is_open and not self._poll.poll(0)",
        "self.is_open",
    ),
    Defect(
        "a connection is used again although more came on it than was asked for",
        SYSTEMS + "transport/connection.py",
        "            and not self._reader.excess\n",
        "",
    ),
    Defect(
        "a connection whose request was cancelled is used again",
        SYSTEMS + "transport/http1.py",
        "                connection.abort()\n            self.pool.give_back(request.origin, connection, keep=keep)\n",
        "                pass\n            self.pool.give_back(request.origin, connection, keep=True)\n",
    ),
)
