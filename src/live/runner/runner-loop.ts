import { AppError, EXIT } from '../../core/errors.ts';
import { NewerFormatError } from '../../core/formats.ts';
import type { CallOwner } from '../queue.ts';
import { readMemoryRoom } from '../redis/connection.ts';
import { FULL } from '../redis/error-reply.ts';
import { findJobId, makeRegistryKey, readNotice, refuseRunner, writeNotice } from '../redis/keys.ts';
import { writeJobLimits } from '../redis/limits.ts';
import { writeHash } from '../redis/presence-scripts.ts';
import { ROUND_ENTRIES } from '../redis/read-results.ts';
import { RedisPatience } from '../redis/watch.ts';
import { EndCollector, giveBack, type Notice } from './collect-ends.ts';
import type { RunnerContext } from './context.ts';
import { JobFeed } from './enqueue.ts';
import { findHeld } from './find-held.ts';
import { type Roster, recoverLost } from './recover-lost.ts';
import { readRoster, type WorkerView } from './worker-roster.ts';

/** The time between collections of ends. If several arrived together, more are likely, and share the cost of a round; a full round leaves some behind. */
const PAUSE_MS = 40;
const FLOW_PAUSE_MS = 100;
const ROSTER_MS = 100;
const RECALL_MS = 500;
/** How much more Redis may hold changes with what others add. */
const MEMORY_MS = 1_000;
const FAILURE_PAUSE_MS = 200;
const RECALL_AT_ONCE = 200;
const LONELY_MS = 10_000;
/** Further workers too new for us are not worth another line. */
const MOST_REFUSED = 3;
const CENSUS_PATIENCE_MS = 10_000;

/** The running queue: one loop that monitors the workers, collects ends, and finds out what happened while Redis was unavailable. */
export class RunnerLoop {
  readonly feed: JobFeed;
  workers: WorkerView = { inFlight: 0, concurrency: 0, fewestAtOnce: null };
  /** Resolves when the loop has ended. */
  ended: Promise<void> = Promise.resolve();
  readonly #context: RunnerContext;
  readonly #collector: EndCollector;
  readonly #notice: Notice;
  #roster: Roster = { workers: new Set(), orphans: new Set() };
  /** Counts the reasons to doubt Redis's data, and those that were resolved. */
  #suspicions = 0;
  #clearedSuspicions = 0;
  readonly #patience: RedisPatience;
  readonly #memoryPatience: RedisPatience;
  #isDead = false;
  #isLeaving = false;
  #aloneSinceMs: number;
  #hasMissedWorkers = false;
  /** Reported sentences about workers too new for us. */
  readonly #refused = new Set<string>();

  constructor(context: RunnerContext) {
    this.#context = { ...context, owner: this.#guard(context.owner) };
    this.#notice = { sessionId: this.#makeSessionId(), collected: '0-0', isStopping: false };
    this.#collector = new EndCollector(this.#context, this.#notice, (error) => this.#halt(error));
    this.feed = new JobFeed(this.#context, (error) => this.giveUp(error));
    this.#patience = new RedisPatience(context.watch);
    this.#memoryPatience = new RedisPatience(context.watch);
    this.#aloneSinceMs = context.nowMs();
  }

  /**
   * Announces this runner to the workers. @returns custom ids that Redis holds from an earlier process
   * @throws NewerFormatError if that process was of a newer version: nothing of it is touched
   */
  async begin(): Promise<readonly string[]> {
    const { link, shared, state, window } = this.#context;
    const earlier = await link.redis.hget(shared.states, state);
    if (earlier !== null) this.#follow(readNotice(earlier));
    for (const [customId, callId] of await findHeld(this.#context, this.#collector)) {
      window.hold({ customId, call: null, bodyBytes: 0, callId, isAdded: true });
    }
    window.fit(await readMemoryRoom(link.redis));
    await this.#publishNotice();
    link.redis.on('ready', () => {
      this.#suspicions += 1;
    });
    this.ended = this.#loop();
    return [...window.held.keys()];
  }

  #follow(earlier: ReturnType<typeof readNotice>): void {
    const refusal = refuseRunner(this.#context.state, earlier);
    this.#isDead = refusal !== null;
    if (refusal !== null) throw new NewerFormatError(refusal);
    this.#notice.collected = earlier.collected;
  }

  stop(): void {
    if (this.#notice.isStopping) return;
    this.#notice.isStopping = true;
    void this.feed.stop();
  }

  /** Leaves further ends in Redis, or collects them again. */
  holdEnds(isHeld: boolean): Promise<void> {
    return this.#collector.hold(isHeld);
  }

  /** Removes our keys at the end of a run; kept if a job remains, which must find that it is done. */
  async cleanUp(): Promise<void> {
    const { link, keys, shared, state, identity } = this.#context;
    if (this.#isDead) return;
    // A loop that still runs would find that our notice is gone, and write it again.
    this.#isLeaving = true;
    await this.ended;
    try {
      if (!(await this.#collector.drainLingering()) || (await this.#collector.hasLeftEnds())) return;
      await link.redis.hdel(shared.states, state);
      await link.redis.del(keys.done, keys.open, keys.crashes, keys.results, keys.admitted);
      if ((await link.redis.hlen(shared.states)) > 0) return;
      await link.redis.srem(makeRegistryKey(identity), identity.model);
      await link.redis.del(shared.limits, shared.probe, this.#context.queue.toKey('events'));
    } catch {
      // Redis is unavailable: the keys stay, and the next run finds that nothing is held.
    }
  }

  async #loop(): Promise<void> {
    const { closed, nowMs, sleep } = this.#context;
    let [rosterAtMs, recallAtMs, memoryAtMs] = [0, 0, 0];
    while (!closed.aborted && !this.#isDead && !this.#isLeaving) {
      try {
        if (this.#suspicions > this.#clearedSuspicions) await this.#clearSuspicions();
        if (nowMs() >= rosterAtMs) {
          await this.#lookAtWorkers();
          rosterAtMs = nowMs() + ROSTER_MS;
        }
        if (nowMs() >= memoryAtMs) {
          await this.#lookAtMemory();
          memoryAtMs = nowMs() + MEMORY_MS;
        }
        const read = await this.#collector.collect();
        if (this.#notice.isStopping && nowMs() >= recallAtMs) {
          await this.#recall();
          recallAtMs = nowMs() + RECALL_MS;
        }
        this.#patience.onAnswer();
        if (read < ROUND_ENTRIES) await sleep(read > 1 ? FLOW_PAUSE_MS : PAUSE_MS, closed);
      } catch (error) {
        if (closed.aborted || this.#isDead || this.#isLeaving) return;
        // Workers that could not send heartbeats meanwhile are not dead: they are asked before any is removed.
        this.#suspicions += 1;
        const end = this.#patience.onFailure(error);
        if (end !== null) this.giveUp(end);
        await sleep(FAILURE_PAUSE_MS, closed).catch(() => {});
      }
    }
  }

  async #lookAtWorkers(): Promise<void> {
    const [roster] = await Promise.all([readRoster(this.#context, this.#notice.sessionId), this.#context.pace.refresh()]);
    if (roster === null) {
      this.#suspicions += 1;
      await this.#clearSuspicions();
      return;
    }
    this.#roster = roster.last;
    this.workers = roster.view;
    for (const refusal of roster.refusals) {
      if (this.#refused.size >= MOST_REFUSED || this.#refused.has(refusal)) continue;
      this.#refused.add(refusal);
      this.#context.warn(`${refusal}; it gets no calls`);
    }
    this.#missWorkers();
  }

  /** A full Redis refuses the workers, which then take nothing from it, and perhaps nothing of ours. */
  async #lookAtMemory(): Promise<void> {
    const { link, window } = this.#context;
    const roomBytes = await readMemoryRoom(link.redis);
    window.fit(roomBytes);
    if (roomBytes !== 0 || window.held.size === 0) return this.#memoryPatience.onAnswer();
    const end = this.#memoryPatience.onFailure(FULL);
    if (end !== null) this.giveUp(end);
  }

  /** Calls that no worker takes usually have another key or base URL than the workers. */
  #missWorkers(): void {
    const { nowMs, window, identity, warn } = this.#context;
    if (this.workers.concurrency > 0 || window.held.size === 0) this.#aloneSinceMs = nowMs();
    if (nowMs() - this.#aloneSinceMs < LONELY_MS || this.#hasMissedWorkers) return;
    this.#hasMissedWorkers = true;
    warn(`no worker takes calls of ${identity.model} at ${identity.baseUrl}: start "rowmill worker" with this Redis, base URL and key`);
  }

  /** Redis was unavailable, or has lost our notice: what it still holds is compared with what we handed over. */
  async #clearSuspicions(): Promise<void> {
    const seen = this.#suspicions;
    this.#notice.sessionId = this.#makeSessionId();
    await this.#publishNotice();
    const { lost, unknown } = await recoverLost(this.#context, {
      collector: this.#collector,
      feed: this.feed,
      sessionId: this.#notice.sessionId,
      roster: this.#roster,
      patienceMs: CENSUS_PATIENCE_MS,
    });
    this.#clearedSuspicions = seen;
    if (lost === 0) return;
    const rest = unknown === 0 ? 'they were never made and are put back' : `${unknown} of them may have been billed`;
    this.#context.warn(`Redis has lost ${lost} calls; ${rest}`);
  }

  /** Tells the workers about us, and about the limits. */
  async #publishNotice(): Promise<void> {
    const { link, shared, identity, limits } = this.#context;
    await writeJobLimits(link.redis, shared.limits, limits);
    await this.#writeNotice();
    const registry = makeRegistryKey(identity);
    // A full Redis refuses an addition, even of something that exists.
    if ((await link.redis.sismember(registry, identity.model)) === 0) await link.redis.sadd(registry, identity.model);
  }

  async #writeNotice(): Promise<void> {
    const { link, shared, state } = this.#context;
    await writeHash(link.redis, shared.states, { [state]: writeNotice(this.#notice) });
  }

  /** While stopping, takes back whatever no worker has in hand. */
  async #recall(): Promise<void> {
    const { window, queue, link, keys, owner, state } = this.#context;
    await this.#writeNotice();
    const held = [...window.held.values()].filter((call) => call.isAdded);
    const jobIds = [...new Set(held.map(({ callId }) => findJobId(state, callId)))];
    const removed = new Set<string>();
    for (let index = 0; index < jobIds.length; index += RECALL_AT_ONCE) {
      const some = jobIds.slice(index, index + RECALL_AT_ONCE);
      const answers = await Promise.all(some.map((jobId) => queue.remove(jobId)));
      for (const [at, jobId] of some.entries()) if (answers[at] === 1) removed.add(jobId);
    }
    // An end is delivered before its job goes, and an attempt leaves a mark: what was removed with neither was never called.
    while ((await this.#collector.collect()) > 0);
    const marked = new Set(await link.redis.hkeys(keys.open));
    const wasRemoved = (callId: string) => removed.has(findJobId(state, callId)) && !marked.has(callId);
    const back = held.filter((call) => wasRemoved(call.callId) && window.held.get(call.customId) === call);
    if (back.length === 0) return;
    await owner.record(back.flatMap(({ customId }) => giveBack(customId, 'stopped')));
    for (const call of back) window.release(call);
  }

  /** Books that cannot be kept end everything. */
  #guard(owner: CallOwner): CallOwner {
    const guarded = <Argument>(step: (argument: Argument) => Promise<void>) => {
      return async (argument: Argument): Promise<void> => {
        try {
          await step(argument);
        } catch (error) {
          this.giveUp(error);
          throw error;
        }
      };
    };
    return {
      announce: guarded((calls) => owner.announce(calls)),
      record: guarded((ends) => owner.record(ends)),
      halt: (error) => owner.halt(error),
    };
  }

  #halt(error: AppError): void {
    if (this.#notice.isStopping) return;
    this.stop();
    this.#context.owner.halt(error);
  }

  /** Nobody handles the calls any more; they stay announced. */
  giveUp(error: unknown): void {
    if (this.#isDead || this.#context.closed.aborted) return;
    this.#isDead = true;
    this.#context.window.close();
    const bug = () => new AppError(`the queue failed: ${(error as Error).message}`, { code: 'queue', exitCode: EXIT.bug, cause: error });
    this.#context.owner.halt(error instanceof AppError ? error : bug());
  }

  #makeSessionId(): string {
    return Math.floor(this.#context.random() * 2 ** 48).toString(36);
  }
}
