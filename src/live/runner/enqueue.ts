import type { CallEnd, LiveCall } from '../queue.ts';
import type { CallPayload } from '../redis/ends.ts';
import { makeGroupedCallId, makeGroupId, makeJobId } from '../redis/keys.ts';
import { retryUntilAnswered } from '../redis/retry.ts';
import { makeSeal } from '../redis/seal.ts';
import { RedisPatience } from '../redis/watch.ts';
import { giveBack } from './collect-ends.ts';
import type { RunnerContext } from './context.ts';
import type { HeldCall } from './window.ts';

/** The most calls in one Redis transaction: larger ones were slow or lost. */
const CHUNK_CALLS = 1_000;
const CHUNK_BYTES = 4_000_000;
/** The most bytes in a job with several calls. */
const GROUP_BYTES = 256_000;

/** Adds calls to Redis, one chunk at a time and in order; each is announced first. */
export class JobFeed {
  readonly #context: RunnerContext;
  /** Calls to announce and add, or to add again if their job was lost. */
  #pending: HeldCall[] = [];
  #announced = new WeakSet<HeldCall>();
  #isStopping = false;
  #running: Promise<void> = Promise.resolve();
  #isRunning = false;
  readonly #onFailure: (error: unknown) => void;

  constructor(context: RunnerContext, onFailure: (error: unknown) => void) {
    this.#context = context;
    this.#onFailure = onFailure;
  }

  add(held: HeldCall): void {
    this.#pending.push(held);
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#running = this.#run()
      .catch(this.#onFailure)
      .finally(() => {
        this.#isRunning = false;
      });
  }

  /** Adds a call again whose job is gone and which is known not to have been made; it stays announced. */
  addAgain(held: HeldCall): void {
    held.callId = '';
    held.isAdded = false;
    this.#announced.add(held);
    this.add(held);
  }

  /** Gives back what has not reached Redis. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    // Callers add in bursts: one turn of the loop gathers them into one chunk.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#pending.length > 0) {
      const chunk = this.#takeChunk();
      if (chunk.length === 0) return;
      if (!this.#isStopping) await this.#announce(chunk);
      if (this.#isStopping) await this.#giveBack(chunk);
      else await this.#addToRedis(chunk);
    }
  }

  #takeChunk(): HeldCall[] {
    const { held: current } = this.#context.window;
    // A call whose end arrived while it waited here, from an earlier job, need not be added again.
    this.#pending = this.#pending.filter((held) => current.get(held.customId) === held);
    let bytes = 0;
    let count = 0;
    for (const held of this.#pending) {
      if (count > 0 && (count >= CHUNK_CALLS || bytes + held.bodyBytes > CHUNK_BYTES)) break;
      bytes += held.bodyBytes;
      count += 1;
    }
    return this.#pending.splice(0, count);
  }

  async #announce(chunk: readonly HeldCall[]): Promise<void> {
    const fresh = chunk.filter((held) => !this.#announced.has(held));
    if (fresh.length === 0) return;
    await this.#context.owner.announce(fresh.map((held) => held.call as LiveCall));
    for (const held of fresh) this.#announced.add(held);
  }

  async #giveBack(chunk: readonly HeldCall[]): Promise<void> {
    const ends = chunk.flatMap((held): readonly CallEnd[] =>
      this.#announced.has(held) ? giveBack(held.customId, 'stopped') : [{ status: 'given-back', customId: held.customId }],
    );
    await this.#context.owner.record(ends);
    for (const held of chunk) this.#context.window.release(held);
  }

  /** Repeated until Redis confirms: an existing id is ignored. */
  async #addToRedis(chunk: readonly HeldCall[]): Promise<void> {
    const { queue, window, sleep, closed, watch } = this.#context;
    const patience = new RedisPatience(watch);
    // A call whose end arrived while the others were announced need not be added again.
    const groups = this.#group(chunk.filter((held) => window.held.get(held.customId) === held));
    const jobs = groups.map((group) => this.#makeJob(group));
    for (const { opts } of jobs) window.adding.add(opts.jobId);
    const onFailure = (error: unknown) => {
      const end = patience.onFailure(error);
      if (end !== null) throw end;
    };
    await retryUntilAnswered(() => queue.addBulk(jobs), { sleep, signal: closed, onFailure });
    for (const { opts } of jobs) window.adding.delete(opts.jobId);
    for (const held of groups.flat()) held.isAdded = true;
  }

  /** Calls that share a job, in order; one in a back-off travels alone. */
  #group(chunk: readonly HeldCall[]): readonly (readonly HeldCall[])[] {
    const most = this.#context.groupCalls();
    const groups: HeldCall[][] = [];
    let group: HeldCall[] | null = null;
    let bytes = 0;
    for (const held of chunk) {
      const isLate = (held.call as LiveCall).delayMs > 0;
      if (group === null || isLate || group.length === most || bytes + held.bodyBytes > GROUP_BYTES) {
        group = [];
        bytes = 0;
        groups.push(group);
      }
      group.push(held);
      bytes += held.bodyBytes;
      if (isLate) group = null;
    }
    return groups;
  }

  /** Gives the calls their ids. */
  #makeJob(group: readonly HeldCall[]) {
    const { state, nextJobNumber } = this.#context;
    const [first] = group as readonly [HeldCall];
    const number = nextJobNumber();
    const isAlone = group.length === 1;
    const jobId = isAlone ? makeJobId(state, first.customId, number) : makeGroupId(state, number);
    for (const held of group) held.callId = isAlone ? jobId : (makeGroupedCallId(state, jobId, held.customId) as string);
    const payloads = group.map((held) => this.#makePayload(held));
    const delayMs = Math.ceil((first.call as LiveCall).delayMs);
    return {
      name: state,
      data: isAlone ? payloads[0] : { calls: payloads },
      opts: { jobId, removeOnComplete: true, ...(delayMs > 0 ? { delay: delayMs } : {}) },
    };
  }

  #makePayload(held: HeldCall): CallPayload {
    const { state, link, deliver } = this.#context;
    const { request } = held.call as LiveCall;
    const body = deliver(request);
    const seal = makeSeal(link.secret, [state, request.customId, request.url, body]);
    return { custom_id: request.customId, path: request.url, body, ...(seal === '' ? {} : { seal }) };
  }
}
