import { hash } from 'node:crypto';
import { FORMATS, refuseNewer, type Written } from '../../core/formats.ts';
import { VERSION } from '../../core/version.ts';

/** Whose calls a queue holds. Workers with another key or base URL never see them. */
export interface QueueIdentity {
  readonly model: string;
  readonly keyFingerprint: string;
  readonly baseUrl: string;
}

/** The prefix of all our keys in Redis, followed by a colon or a dash. */
export const REDIS_PREFIX = 'rowmill';

/** BullMQ's name of the queue of one model and key; the braces keep all its keys on one node of a cluster. */
export function makeQueueName(identity: QueueIdentity): string {
  const told = identity.model.replaceAll(/[^A-Za-z0-9._-]/g, '_').slice(0, 60);
  return `{${told}-${fingerprint([identity.model, identity.keyFingerprint, identity.baseUrl])}}`;
}

/** The set of models with a queue for this key and base URL: a worker reads it to know what to serve. */
export function makeRegistryKey(account: Omit<QueueIdentity, 'model'>): string {
  return `${REDIS_PREFIX}-models:${fingerprint([account.keyFingerprint, account.baseUrl])}`;
}

function fingerprint(parts: readonly string[]): string {
  return hash('sha256', parts.join('\n')).slice(0, 16);
}

/** Keys shared by all users of a queue. */
export interface SharedKeys {
  /** Instants, in microseconds of Redis time, until which the granted requests and tokens use up the limits. */
  readonly requests: string;
  readonly tokens: string;
  /** Instant before which no call may leave. */
  readonly blocked: string;
  /** Hash of the limits, written by the runner and lowered by the provider's headers. */
  readonly limits: string;
  /** Latest answers that arrived while little of the token limit was left: see charge-probe.ts. */
  readonly probe: string;
  /** Workers by the time of their last heartbeat. */
  readonly workers: string;
  /** Hash of state id to `sessionId|collected|stopping`: see `StateNotice`. */
  readonly states: string;
}

/** Keys of one state directory's calls. */
export interface StateKeys {
  /** Ids of calls whose end was delivered, or that were withdrawn. */
  readonly done: string;
  /** Call id to the mark of the current attempt. */
  readonly open: string;
  /** Custom id to the number of workers that died calling it. */
  readonly crashes: string;
  /** Stream of ends waiting for the runner. */
  readonly results: string;
  /** Workers known to the runner; only they are granted calls. */
  readonly admitted: string;
}

/** Every call needs the same few names several times: they are cached. After this many the cache starts again. */
const MOST_REMEMBERED = 1_000;

function remember<T>(make: (place: string) => T): (place: string) => T {
  const made = new Map<string, T>();
  return (place) => {
    const known = made.get(place);
    if (known !== undefined) return known;
    if (made.size === MOST_REMEMBERED) made.clear();
    const keys = make(place);
    made.set(place, keys);
    return keys;
  };
}

/** By the name of the queue. */
export const makeSharedKeys: (queueName: string) => SharedKeys = remember((place) => {
  const of = (part: string) => `${REDIS_PREFIX}-calls:${place}:${part}`;
  return {
    requests: of('requests'),
    tokens: of('tokens'),
    blocked: of('blocked'),
    limits: of('limits'),
    probe: of('probe'),
    workers: of('workers'),
    states: of('states'),
  };
});

const makeStateKeysAt = remember((place): StateKeys => {
  const of = (part: string) => `${REDIS_PREFIX}-calls:${place}:${part}`;
  return { done: of('done'), open: of('open'), crashes: of('crashes'), results: of('results'), admitted: of('admitted') };
});

export function makeStateKeys(queueName: string, state: string): StateKeys {
  return makeStateKeysAt(`${queueName}:${state}`);
}

/** The key of a BullMQ job. */
export function makeJobKey(queueName: string, jobId: string): string {
  return `${REDIS_PREFIX}:${queueName}:${jobId}`;
}

/**
 * The id of a call that travels alone, and of its job. BullMQ refuses ids that look like numbers or contain one colon, and ignores an id that still
 * exists: hence `added`, different for every add.
 */
export function makeJobId(state: string, customId: string, added: number): string {
  return `${state}-${customId}-${added}`;
}

/** The id of a job with several calls; to protocol 1, which would delete what it cannot read, it looks like one of its own. */
export function makeGroupId(state: string, added: number): string {
  return `${state}-g-${added}`;
}

/** The id of a call in such a job; null if the job is not one. */
export function makeGroupedCallId(state: string, groupId: string, customId: string): string | null {
  const added = groupId.startsWith(`${state}-g-`) ? groupId.slice(state.length + 3) : '';
  return /^\d+$/.test(added) ? `${state}-${customId}-g${added}` : null;
}

/** The job of a call. */
export function findJobId(state: string, callId: string): string {
  const suffix = callId.slice(callId.lastIndexOf('-') + 1);
  return suffix.startsWith('g') ? `${state}-g-${suffix.slice(1)}` : callId;
}

/** The wire id within a call id of this state, or null for another state's. */
export function readJobId(state: string, callId: string): string | null {
  if (!callId.startsWith(`${state}-`)) return null;
  const end = callId.lastIndexOf('-');
  return end <= state.length ? null : callId.slice(state.length + 1, end);
}

/** A runner's notice to the workers about its calls. */
export interface StateNotice {
  /** Random; a new one means that Redis may have lost data, and that workers must report what they hold. */
  readonly sessionId: string;
  /** Stream id up to which ends are safe in the ledger. */
  readonly collected: string;
  /** Nothing more may leave. */
  readonly isStopping: boolean;
}

/** A notice ends with the protocol and the version of its writer: the first three fields are the same in every protocol. */
export function writeNotice(notice: StateNotice): string {
  return `${notice.sessionId}|${notice.collected}|${notice.isStopping ? 1 : 0}|${FORMATS.redis}|${VERSION}`;
}

/** `written` by a runner of any version; the first versions do not give theirs. */
export function readNotice(text: string): StateNotice & { readonly written: Written } {
  const [sessionId = '', collected = '0-0', stopping, protocol, version] = text.split('|');
  return { sessionId, collected, isStopping: stopping === '1', written: { format: Number(protocol), version } };
}

/** The sentence that refuses the calls of a state whose runner is too new; null for one that is understood. */
export function refuseRunner(state: string, { written }: { readonly written: Written }): string | null {
  return refuseNewer('redis', `the run of state ${state} was started`, written);
}

/** A worker's name contains everything runners need: protocol, version, and how many calls it takes at once. */
export function makeWorkerName(id: string, concurrency: number): string {
  return `${id}~${FORMATS.redis}~${VERSION}.${concurrency}`;
}

/** `refusal` is the sentence that refuses a worker too new for us; null for one that is understood. Names of the first versions are `id.concurrency`. */
export function readWorkerName(name: string): { readonly concurrency: number; readonly refusal: string | null } {
  const dot = name.lastIndexOf('.');
  const [id, protocol, version] = name.slice(0, dot).split('~');
  const written = { format: Number(protocol), version };
  return { concurrency: Number(name.slice(dot + 1)) || 0, refusal: refuseNewer('redis', `the worker ${id} was started`, written) };
}
