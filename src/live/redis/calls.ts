import type { Redis } from 'ioredis';
import { type CallReport, writeReport } from './ends.ts';
import { findJobId, makeJobKey, makeSharedKeys, makeStateKeys } from './keys.ts';
import { RESERVE, SETTLE } from './limiter-scripts.ts';
import { runScript } from './presence-scripts.ts';
import { makeSeal } from './seal.ts';
import { createTogether } from './together.ts';

/** One queue as seen over one connection. */
export interface QueueLink {
  readonly redis: Redis;
  readonly queueName: string;
  /** Shared by runner and workers; null when jobs and ends travel unsealed. */
  readonly secret: string | null;
}

/** One call: what it is known by, from the moment its job is added. */
export interface CallReference {
  readonly state: string;
  readonly callId: string;
  readonly customId: string;
}

/** What Redis says to a worker that wants to call. */
export interface Grant {
  /**
   * `go`: call after the wait, the attempt is on record. `wait`: too far off, ask again. `done`: its end was delivered. `gone`: nobody wants it any more.
   * `stranger`: the runner does not know this worker yet. `busy`: another living worker is at it. `lost`: the worker at it is dead.
   * `poison`: too many workers died calling it.
   */
  readonly status: 'go' | 'wait' | 'done' | 'gone' | 'stranger' | 'busy' | 'lost' | 'poison';
  readonly waitMs: number;
  /** How many workers died calling this row. */
  readonly crashes: number;
  /** Names the attempt on record; empty where there is none. */
  readonly mark: string;
  /** Redis's clock at the moment of the answer. */
  readonly nowMicroseconds: number;
}

/**
 * Attempts further ahead than this are not granted. What a dead worker leaves unused stays small; and while estimates are too high, calls that
 * wait for a moment far off would leave beside those which take the place that was given back meanwhile.
 */
const HORIZON_MS = 1_000;
/** A row that so many workers died calling is held. */
export const MOST_CRASHES = 3;

/** What a worker asks a grant for. */
export interface GrantRequest {
  readonly worker: string;
  readonly grant: string;
  readonly tokens: number;
  readonly horizonMs?: number;
  readonly limitsHorizonMs?: number;
}

/** Asks for one call. Nothing is granted while Redis does not answer: the promise rejects then. */
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
  /** The mark of the attempt; empty when none was granted. */
  readonly mark: string;
  /** Real tokens less the reserved ones. */
  readonly tokensDelta: number;
  /** -1 when the request never left. */
  readonly requestsDelta?: number;
  /** What the provider says is left; null where it says nothing. */
  readonly remaining?: { readonly requests: number | null; readonly tokens: number | null };
  /** What an answered call used, and what it had reserved with its whole cap: tells how the provider charges. */
  readonly charge?: { readonly usedTokens: number; readonly cappedTokens: number };
  /** Null when the call will be tried again and nothing is to be told. */
  readonly delivery: { readonly kind: DeliveredKind; readonly text: string } | null;
  /** The worker that made the attempt is dead. */
  readonly hasCrashed?: boolean;
  /** How the call went, for the runner; absent without an answer. */
  readonly report?: CallReport;
}

interface EndedCall {
  readonly call: CallReference;
  readonly attemptEnd: AttemptEnd;
}

/** Corrects what the attempt took and delivers its end. @returns the entry's id, empty when nothing was delivered */
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
