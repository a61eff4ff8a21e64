import { hash } from 'node:crypto';
import type { AppError } from '../../core/errors.ts';
import type { CallEnd } from '../queue.ts';
import { type DeliveredEnd, GIVEN_UP, type ResultEntry, readEntry, WORKER_DIED } from '../redis/ends.ts';
import { findJobId, makeJobKey, type StateNotice, writeNotice } from '../redis/keys.ts';
import { FORGET, runScript, WITHDRAW } from '../redis/presence-scripts.ts';
import { readResults } from '../redis/read-results.ts';
import { createEndBreaker } from './breaker.ts';
import type { RunnerContext } from './context.ts';
import type { HeldCall } from './window.ts';

/** A repeated line, as after Redis lost data, is recorded once; this many are remembered. */
const LINES_REMEMBERED = 20_000;
const LINGER_LOOKS = 100;
const LINGER_PAUSE_MS = 50;

/** The current notice to the workers. */
export type Notice = { -readonly [Field in keyof StateNotice]: StateNotice[Field] };

/** Moves ends from Redis into the ledger: read, record, and only then delete. */
export class EndCollector {
  /** Worker -> the last session for which it has delivered everything. */
  readonly accounts = new Map<string, string>();
  readonly #context: RunnerContext;
  readonly #notice: Notice;
  readonly #onHalt: (error: AppError) => void;
  /** Entries in the ledger whose deletion Redis has not confirmed. */
  readonly #recorded = new Set<string>();
  /** Ids of ended calls whose jobs BullMQ had not removed at the last check. */
  #lingering = new Set<string>();
  #seenLines = new Set<string>();
  #olderLines = new Set<string>();
  #forged = 0;
  #isHeld = false;
  #round: Promise<unknown> = Promise.resolve();
  readonly #breaker = createEndBreaker();

  constructor(context: RunnerContext, notice: Notice, onHalt: (error: AppError) => void) {
    this.#context = context;
    this.#notice = notice;
    this.#onHalt = onHalt;
  }

  /** Leaves further ends in Redis, or collects them again. Resolves when none is being written to the ledger. */
  async hold(isHeld: boolean): Promise<void> {
    this.#isHeld = isHeld;
    await this.#round;
  }

  /** One round. Rejects while Redis is unavailable. @returns how many entries it read */
  collect(): Promise<number> {
    const round = this.#collect();
    this.#round = round.catch(() => undefined);
    return round;
  }

  /** Whether ends wait in Redis for the next run. */
  async hasLeftEnds(): Promise<boolean> {
    // A worker's account of a session names no job.
    return this.#isHeld && (await this.listCallIds()).some((callId) => callId !== '');
  }

  async #collect(): Promise<number> {
    const { link, keys, state } = this.#context;
    const raw = this.#isHeld ? [] : await readResults(link.redis, keys.results);
    if (raw.length === 0 && this.#lingering.size === 0) return 0;
    const entries = raw.map(([id, flat]) => readEntry(id, flat, { state, secret: link.secret }));
    const fresh = entries.filter(({ entryId }) => !this.#recorded.has(entryId));
    const ended = await this.#record(fresh);
    for (const { entryId } of entries) this.#recorded.add(entryId);
    for (const callId of ended) this.#lingering.add(callId);
    const last = entries.at(-1);
    if (last !== undefined) this.#notice.collected = last.entryId;
    await this.#forget(entries.map(({ entryId }) => entryId));
    return raw.length;
  }

  /** Ids of calls whose end waits to be collected. */
  async listCallIds(): Promise<readonly string[]> {
    const { link, keys } = this.#context;
    const callIds: string[] = [];
    for (let from = '-'; ; ) {
      const raw = await readResults(link.redis, keys.results, from);
      for (const [, flat] of raw) callIds.push(flat[flat.indexOf('job') + 1] ?? '');
      const last = raw.at(-1);
      if (last === undefined) return callIds;
      from = `(${last[0]}`;
    }
  }

  /** Calls whose end was delivered while their jobs still exist. */
  linger(callIds: readonly string[]): void {
    for (const callId of callIds) this.#lingering.add(callId);
  }

  /** Checks briefly whether BullMQ has removed all ended jobs. @returns whether it has */
  async drainLingering(): Promise<boolean> {
    for (let look = 0; look < LINGER_LOOKS; look += 1) {
      await this.collect();
      if (this.#lingering.size === 0) return true;
      await this.#context.sleep(LINGER_PAUSE_MS, this.#context.closed);
    }
    return false;
  }

  /** @returns ids of calls whose end is in the ledger now */
  async #record(entries: readonly ResultEntry[]): Promise<readonly string[]> {
    const { window, owner, pace } = this.#context;
    const ends: CallEnd[] = [];
    const ended = new Map<string, HeldCall>();
    const callIds: string[] = [];
    let halt: AppError | null = null;
    for (const entry of entries) {
      if (entry.type === 'account') this.accounts.set(entry.worker, entry.sessionId);
      if (entry.type === 'forged') this.#countForged(entry.why);
      if (entry.type !== 'end') continue;
      const { customId, end, callId } = entry;
      callIds.push(callId);
      if (entry.report !== null) pace.onReport(entry.report);
      const held = ended.has(customId) ? undefined : window.held.get(customId);
      // For a row that has its end, or whose call has another id by now, only possible costs matter.
      const isOurs = held !== undefined && (end.status === 'line' || held.callId === callId);
      const wasStray = window.endStray(callId);
      const mayBePaid = end.status === 'line' || (wasStray && end.status === 'unknown');
      if (!isOurs && !mayBePaid) continue;
      if (end.status === 'line' && this.#hasSeen(end.line)) continue;
      const callEnds = endsOf(customId, callId, end);
      ends.push(...callEnds);
      halt ??= end.status === 'halt' ? end.error : this.#breaker(callEnds);
      if (held === undefined || !isOurs) continue;
      ended.set(customId, held);
      if (held.callId !== callId && held.callId !== '') this.#withdraw(held);
    }
    if (ends.length > 0) await owner.record(ends);
    for (const held of ended.values()) window.release(held);
    if (halt !== null) this.#onHalt(halt);
    return callIds;
  }

  /** The answer came from an earlier call: this one is withdrawn, and if that is too late, its end is waited for. */
  #withdraw({ callId }: HeldCall): void {
    const { window, link, keys } = this.#context;
    window.stray(callId);
    const takeBack = async () => {
      const wasTakenBack = (await runScript(link.redis, WITHDRAW, [keys.open, keys.done], [callId])) === 1;
      if (wasTakenBack) window.endStray(callId);
      this.#lingering.add(callId);
    };
    takeBack().catch(() => {});
  }

  async #forget(entryIds: readonly string[]): Promise<void> {
    const { link, keys, shared, state, window } = this.#context;
    const callsOf = new Map<string, string[]>();
    const staying = new Set<string>();
    for (const callId of this.#lingering) {
      const jobId = findJobId(state, callId);
      const calls = callsOf.get(jobId);
      // A job whose addition is still unconfirmed may be added once more, and must then find that its calls are done.
      if (window.adding.has(jobId)) staying.add(callId);
      else if (calls === undefined) callsOf.set(jobId, [callId]);
      else calls.push(callId);
    }
    const jobs = [...callsOf];
    const jobKeys = jobs.map(([jobId]) => makeJobKey(link.queueName, jobId));
    const values = [state, this.#notice.sessionId, writeNotice(this.#notice), entryIds.length, ...entryIds];
    const jobValues = jobs.flatMap(([, callIds]) => [callIds.length, ...callIds]);
    const keep = await runScript(link.redis, FORGET, [keys.results, keys.done, shared.states, ...jobKeys], [...values, ...jobValues]);
    for (const index of keep as readonly number[]) for (const callId of jobs[index]?.[1] ?? []) staying.add(callId);
    this.#lingering = staying;
    for (const entryId of entryIds) this.#recorded.delete(entryId);
  }

  #hasSeen(line: string): boolean {
    const digest = hash('sha256', line, 'base64url');
    if (this.#seenLines.has(digest) || this.#olderLines.has(digest)) return true;
    if (this.#seenLines.size >= LINES_REMEMBERED) {
      this.#olderLines = this.#seenLines;
      this.#seenLines = new Set();
    }
    this.#seenLines.add(digest);
    return false;
  }

  #countForged(why: string): void {
    this.#forged += 1;
    if (this.#forged === 1) this.#context.warn(`Redis holds ${why}; it is ignored, and so are all further ones`);
  }
}

function endsOf(customId: string, callId: string, end: DeliveredEnd): readonly CallEnd[] {
  switch (end.status) {
    case 'line':
      return [{ status: 'answered', customId, line: end.line }];
    case 'unknown':
      return [{ status: 'unknown', customId, bodyBytes: end.bodyBytes, why: end.why, isInterruption: isOurDoing(end.why) }];
    case 'back':
      return giveBack(customId, end.code);
    case 'halt':
      return giveBack(customId, end.error.code);
    case 'reject':
      return [{ status: 'answered', customId, line: makeRejectionLine(customId, callId, end.why) }];
    default:
      return end satisfies never;
  }
}

/** A worker was ended, by anyone. A row that ends workers is held all the same, after five of them. */
function isOurDoing(why: string): boolean {
  return why === WORKER_DIED || why === GIVEN_UP;
}

/** A call that was announced and is known not to have been made. */
export function giveBack(customId: string, code: string): readonly CallEnd[] {
  return [
    { status: 'refused', customId, code },
    { status: 'given-back', customId },
  ];
}

/** What a worker refuses to call looks like a request the provider refused: it fails, costs nothing, and `retry` reopens it. */
function makeRejectionLine(customId: string, callId: string, why: string): string {
  const error = { code: 'worker_refused', message: why };
  return JSON.stringify({
    id: `rejected_${callId}`,
    custom_id: customId,
    response: { status_code: 400, request_id: '', body: { error } },
    error: null,
  });
}
