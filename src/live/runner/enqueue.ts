import type { CallEnd, LiveCall } from '../queue.ts';
import type { JobPayload } from '../redis/ends.ts';
import { retryUntilAnswered } from '../redis/retry.ts';
import { makeSeal } from '../redis/seal.ts';
import { RedisPatience } from '../redis/watch.ts';
import { giveBack } from './collect-ends.ts';
import type { RunnerContext } from './context.ts';
import type { HeldCall } from './window.ts';

/** One transaction of Redis holds at most so much: larger ones were slow or lost. */
const CHUNK_CALLS = 1_000;
const CHUNK_BYTES = 4_000_000;

/** Carries calls into Redis, a chunk at a time and in order; each is announced before. */
export class JobFeed {
  readonly #context: RunnerContext;
  /** Calls to announce and add, or to add again where their job was lost. */
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

  /** Adds a call anew whose job is gone and is known not to have been called; it stays announced. */
  addAgain(held: HeldCall): void {
    held.jobId = this.#context.makeJobId(held.customId);
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
    // Callers add in a burst: one turn of the loop gathers it into one chunk.
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
    // A call whose end came while it waited here, from an earlier job, need not travel again.
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

  /** Repeated until Redis says yes: an id that is there already is ignored. */
  async #addToRedis(chunk: readonly HeldCall[]): Promise<void> {
    const { queue, window, sleep, closed, watch } = this.#context;
    const patience = new RedisPatience(watch);
    const jobs = chunk.map((held) => this.#makeJob(held));
    for (const { jobId } of chunk) window.adding.add(jobId);
    const onFailure = (error: unknown) => {
      const end = patience.onFailure(error);
      if (end !== null) throw end;
    };
    await retryUntilAnswered(() => queue.addBulk(jobs), { sleep, signal: closed, onFailure });
    for (const held of chunk) {
      window.adding.delete(held.jobId);
      held.isAdded = true;
    }
  }

  #makeJob(held: HeldCall) {
    const { state, link, deliver } = this.#context;
    const { request, delayMs } = held.call as LiveCall;
    const body = deliver(request);
    const seal = makeSeal(link.secret, [state, request.customId, request.url, body]);
    const data: JobPayload = { custom_id: request.customId, path: request.url, body, ...(seal === '' ? {} : { seal }) };
    return {
      name: state,
      data,
      opts: { jobId: held.jobId, removeOnComplete: true, ...(delayMs > 0 ? { delay: Math.ceil(delayMs) } : {}) },
    };
  }
}
