import type { Redis } from 'ioredis';
import { type CallReport, writeReport } from './ends.ts';
import { findJobId, makeJobKey, makeSharedKeys, makeStateKeys } from './keys.ts';
import { RESERVE, SETTLE } from './limiter-scripts.ts';
import { runScript } from './presence-scripts.ts';
import { makeSeal } from './seal.ts';
import { createTogether } from './together.ts';

/** One queue, seen over one connection. */
export interface QueueLink {
  readonly redis: Redis;
  readonly queueName: string;
  /** Shared by runner and workers; null if jobs and ends are not sealed. */
  readonly secret: string | null;
}

/** One call: its identity once its job has been added. */
export interface CallReference {
  readonly state: string;
  readonly callId: string;
  readonly customId: string;
}

/** Redis's answer to a worker that wants to call. */
export interface Grant {
  /**
   * `go`: call after the wait, the attempt is recorded. `wait`: too far ahead, ask again. `done`: its end was delivered. `gone`: nobody wants it any more.
   * `stranger`: the runner does not know this worker yet. `busy`: another live worker has it. `lost`: the worker that had it is dead.
   * `poison`: too many workers died calling it.
   */
  readonly status: 'go' | 'wait' | 'done' | 'gone' | 'stranger' | 'busy' | 'lost' | 'poison';
  readonly waitMs: number;
  /** How many workers died calling this row. */
  readonly crashes: number;
  /** Identifies the recorded attempt; empty if there is none. */
  readonly mark: string;
  /** Redis's clock at the moment of the answer. */
  readonly nowMicroseconds: number;
}

/**
 * Attempts further ahead than this are not granted. So a dead worker leaves little unused; and while estimates are too high, calls that
 * wait for a distant moment would leave together with those that take places returned meanwhile.
 */
const HORIZON_MS = 1_000;
/** A row is held after this many workers died calling it. */
export const MOST_CRASHES = 3;

/** What a worker requests a grant for. */
export interface GrantRequest {
  readonly worker: string;
  readonly grant: string;
  readonly tokens: number;
  readonly horizonMs?: number;
  readonly limitsHorizonMs?: number;
}

/** Asks for one call. Nothing is granted while Redis does not answer: the promise then rejects. */
export function reserveCall(link: QueueLink, call: CallReference, options: GrantRequest): Promise<Grant> {
  return reserveTogether(link, call.state, { call, options });
}

const reserveTogether = createTogether<QueueLink, { readonly call: CallReference; readonly options: GrantRequest }, Grant>(
  reserveCalls,
  () => 0,
);

async function reserveCalls(
  link: QueueLink,
  state: string,
  asked: readonly { readonly call: CallReference; readonly options: GrantRequest }[],
): Promise<readonly Grant[]> {
  const shared = makeSharedKeys(link.queueName);
  const own = makeStateKeys(link.queueName, state);
  const keys = [
    shared.requests,
    shared.tokens,
    shared.blocked,
    shared.limits,
    own.done,
    own.open,
    own.crashes,
    own.admitted,
    shared.states,
  ];
  const jobKeys = asked.map(({ call }) => makeJobKey(link.queueName, findJobId(state, call.callId)));
  const values = asked.flatMap(({ call, options }) => [
    ...[call.callId, call.customId, options.worker, options.grant],
    ...[options.horizonMs ?? HORIZON_MS, options.limitsHorizonMs ?? options.horizonMs ?? HORIZON_MS, Math.ceil(options.tokens)],
  ]);
  const [now, ...grants] = (await runScript(link.redis, RESERVE, [...keys, ...jobKeys], [state, MOST_CRASHES, ...values])) as [
    string,
    ...(readonly [Grant['status'], number, number, string])[],
  ];
  const nowMicroseconds = Number(now);
  return grants.map(([status, waitMs, crashes, mark]) => ({ status, waitMs, crashes, mark, nowMicroseconds }));
}

/** What is delivered to the runner: `line` carries a response line, the others a JSON text for `readEnd`. */
export type DeliveredKind = 'line' | 'unknown' | 'back' | 'halt' | 'reject';

/** How an attempt ends. */
export interface AttemptEnd {
  /** The mark of the attempt; empty if none was granted. */
  readonly mark: string;
  /** Real tokens minus reserved ones. */
  readonly tokensDelta: number;
  /** -1 if the request never left. */
  readonly requestsDelta?: number;
  /** What the provider reports as left; null if it reports nothing. */
  readonly remaining?: { readonly requests: number | null; readonly tokens: number | null };
  /** What an answered call used, and what it reserved including its whole cap: shows how the provider charges. */
  readonly charge?: { readonly usedTokens: number; readonly cappedTokens: number };
  /** Null if the call will be tried again and nothing is to be delivered. */
  readonly delivery: { readonly kind: DeliveredKind; readonly text: string } | null;
  /** The worker that made the attempt is dead. */
  readonly hasCrashed?: boolean;
  /** Timing of the call, for the runner; absent without an answer. */
  readonly report?: CallReport;
}

interface EndedCall {
  readonly call: CallReference;
  readonly attemptEnd: AttemptEnd;
}

/** Corrects what the attempt took and delivers its end. @returns the entry's id, empty if nothing was delivered */
export function writeAttemptEnd(link: QueueLink, call: CallReference, attemptEnd: AttemptEnd): Promise<string> {
  return settleTogether(link, call.state, { call, attemptEnd });
}

const settleTogether = createTogether<QueueLink, EndedCall, string>(settleCalls, ({ attemptEnd }) => attemptEnd.delivery?.text.length ?? 0);

async function settleCalls(link: QueueLink, state: string, ended: readonly EndedCall[]): Promise<readonly string[]> {
  const shared = makeSharedKeys(link.queueName);
  const own = makeStateKeys(link.queueName, state);
  const keys = [shared.requests, shared.tokens, shared.limits, own.open, own.crashes, own.done, own.results, shared.probe];
  const values = ended.flatMap(({ call, attemptEnd }) => {
    const kind = attemptEnd.delivery?.kind ?? '';
    const text = attemptEnd.delivery?.text ?? '';
    const seal = kind === '' ? '' : makeSeal(link.secret, [state, call.callId, kind, text]);
    const { requests = null, tokens = null } = attemptEnd.remaining ?? {};
    return [
      ...[call.callId, call.customId, attemptEnd.mark],
      ...[attemptEnd.requestsDelta ?? 0, Math.round(attemptEnd.tokensDelta), requests ?? '', tokens ?? ''],
      ...[kind, text, seal, attemptEnd.hasCrashed === true ? 1 : 0],
      ...[attemptEnd.charge?.usedTokens ?? '', attemptEnd.charge?.cappedTokens ?? ''],
      attemptEnd.report === undefined ? '' : writeReport(attemptEnd.report),
    ];
  });
  return (await runScript(link.redis, SETTLE, keys, values)) as readonly string[];
}
