import { setMaxListeners } from 'node:events';
import type { TokenCharging } from '../limits/throttle.ts';
import { type AttemptEnd, type CallReference, type QueueLink, writeAttemptEnd } from '../redis/calls.ts';
import { makeSharedKeys, makeStateKeys, readNotice, refuseRunner } from '../redis/keys.ts';
import { ACCOUNT, BEAT, runScript } from '../redis/presence-scripts.ts';

/** What a worker remembers about one state directory's calls. */
interface StateMemory {
  sessionId: string;
  /** Why we must not make its calls; undefined before its notice was read. */
  refusal: string | null | undefined;
  stopping: AbortController;
  /** Call id to mark: attempts granted and not settled. */
  readonly underWay: Map<string, string>;
  /** Ends delivered and not yet safe in the runner's ledger, oldest first. */
  readonly delivered: Map<string, { readonly call: CallReference; readonly attemptEnd: AttemptEnd; entryId: string }>;
}

/**
 * A worker's presence for the runners of one queue. It sends heartbeats, and remembers what it is doing and what it has delivered until the
 * runner has stored it: when Redis has lost data, the worker delivers everything again, so that no paid answer is lost with it.
 */
export class WorkerPresence {
  readonly worker: string;
  /** How the provider charges, as known by all workers so far. */
  tokenCharging: TokenCharging = 'actual';
  readonly #link: QueueLink;
  readonly #told = new Map<string, string>();
  readonly #states = new Map<string, StateMemory>();

  constructor(worker: string, link: QueueLink) {
    this.worker = worker;
    this.#link = link;
  }

  /** Whether this differs from the last report about the same: the provider's limits, or a state. */
  isNews(about: string, text: string): boolean {
    if (text === this.#told.get(about)) return false;
    this.#told.set(about, text);
    return true;
  }

  /** Fires when the runner of this state wants nothing more to leave. */
  stopping(state: string): AbortSignal {
    return this.#memoryOf(state).stopping.signal;
  }

  /**
   * The sentence on why this state's calls must be left alone, according to the last heartbeat: its runner is newer than this worker.
   * Null if they may be made, undefined if its notice was not read yet.
   */
  refusalOf(state: string): string | null | undefined {
    return this.#memoryOf(state).refusal;
  }

  /** The same, by the runner's current notice. Rejects while Redis is unavailable. */
  async readRefusal(state: string): Promise<string | null> {
    const notice = await this.#link.redis.hget(makeSharedKeys(this.#link.queueName).states, state);
    const refusal = notice === null ? null : refuseRunner(state, readNotice(notice));
    this.#memoryOf(state).refusal = refusal;
    return refusal;
  }

  /** An attempt is recorded under this mark. */
  enter(call: CallReference, mark: string): void {
    this.#memoryOf(call.state).underWay.set(call.callId, mark);
  }

  /** The mark of a call's current attempt; undefined without one. */
  markOf(call: CallReference): string | undefined {
    return this.#memoryOf(call.state).underWay.get(call.callId);
  }

  /** Delivers an attempt's end once; rejects while Redis is unavailable, and may then be repeated. */
  async endAttempt(call: CallReference, attemptEnd: AttemptEnd): Promise<void> {
    const memory = this.#memoryOf(call.state);
    const entryId = await writeAttemptEnd(this.#link, call, attemptEnd);
    memory.underWay.delete(call.callId);
    if (entryId !== '') memory.delivered.set(entryId, { call, attemptEnd, entryId });
  }

  /** One heartbeat, and what follows from the runners' notices. */
  async beat(): Promise<void> {
    const { workers, states, limits } = makeSharedKeys(this.#link.queueName);
    const [tokenCharging, flat] = (await runScript(this.#link.redis, BEAT, [workers, states, limits], [this.worker])) as [string, string[]];
    this.tokenCharging = tokenCharging === 'reserved' || tokenCharging === 'header' ? tokenCharging : 'actual';
    for (let index = 0; index + 1 < flat.length; index += 2) {
      const state = flat[index] as string;
      const notice = readNotice(flat[index + 1] as string);
      const memory = this.#memoryOf(state);
      memory.refusal = refuseRunner(state, notice);
      // Another session may have lost the entries that this one's ids refer to.
      if (memory.sessionId !== notice.sessionId) await this.#account(state, memory, notice.sessionId);
      else forgetCollected(memory, notice.collected);
      if (notice.isStopping) memory.stopping.abort();
      else if (memory.stopping.signal.aborted) memory.stopping = createStopping();
    }
  }

  /** Signs off, so that nobody waits for another heartbeat. */
  async leave(): Promise<void> {
    await this.#link.redis.zrem(makeSharedKeys(this.#link.queueName).workers, this.worker);
  }

  /** Repeats what is not safe yet, and only then reports what is in flight: whoever reads the account has read the ends before it. */
  async #account(state: string, memory: StateMemory, sessionId: string): Promise<void> {
    for (const said of memory.delivered.values()) {
      const entryId = await writeAttemptEnd(this.#link, said.call, { ...said.attemptEnd, mark: '', hasCrashed: false });
      if (entryId !== '') said.entryId = entryId;
    }
    const { open, results, done } = makeStateKeys(this.#link.queueName, state);
    const marks = [...memory.underWay].flat();
    await runScript(this.#link.redis, ACCOUNT, [open, results, done], [this.worker, sessionId, ...marks]);
    memory.sessionId = sessionId;
  }

  #memoryOf(state: string): StateMemory {
    let memory = this.#states.get(state);
    if (memory === undefined) {
      memory = { sessionId: '', refusal: undefined, stopping: createStopping(), underWay: new Map(), delivered: new Map() };
      this.#states.set(state, memory);
    }
    return memory;
  }
}

function forgetCollected(memory: StateMemory, collected: string): void {
  for (const [key, { entryId }] of memory.delivered) {
    if (compareEntryIds(entryId, collected) > 0) return;
    memory.delivered.delete(key);
  }
}

/** Stream ids are `milliseconds-number`. */
export function compareEntryIds(left: string, right: string): number {
  const [leftMs = 0, leftNumber = 0] = left.split('-').map(Number);
  const [rightMs = 0, rightNumber = 0] = right.split('-').map(Number);
  return leftMs - rightMs || leftNumber - rightNumber;
}

/** Every slot listens to it. */
function createStopping(): AbortController {
  const stopping = new AbortController();
  setMaxListeners(0, stopping.signal);
  return stopping;
}
