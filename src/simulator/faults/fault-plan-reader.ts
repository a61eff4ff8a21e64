import { ANSWER_FAULTS } from '../answers/answer-faults.ts';
import { isRecord } from '../answers/prompt.ts';
import { isShutdownDates } from '../http/shutdown-dates.ts';
import {
  type BatchAction,
  type Fault,
  type FaultAction,
  type FaultMatch,
  LINE_FAULTS,
  LIST_FAULTS,
  type RequestAction,
  type RowAction,
} from './fault-plan.ts';
import { FaultPlanError } from './fault-plan-error.ts';
import { NAMED_ERRORS } from './named-errors.ts';
import { readWorldFault, type WorldFault } from './read-world.ts';

type Given = Readonly<Record<string, unknown>>;

/** Reads values from one object of the plan and refuses with the path and the allowed words. */
interface Reader {
  readonly given: Given;
  text(key: string, fallback?: string): string;
  number(key: string, bounds?: { readonly least?: number; readonly most?: number }, fallback?: number): number;
  flag(key: string, fallback: boolean): boolean;
  word<T extends string>(key: string, words: readonly T[], fallback?: T): T;
  refuse(key: string, reason: string, slip?: FaultPlanError['slip']): never;
}

const MATCH_WORDS = {
  request: ['method', 'path', 'nth', 'every', 'share', 'custom_id', 'status', 'file', 'attempts'],
  batch: ['batch', 'nth', 'every', 'share'],
  row: ['custom_id', 'row', 'batch', 'nth', 'every', 'share', 'model', 'attempts'],
  answer: ['custom_id', 'row', 'batch', 'nth', 'every', 'share', 'model', 'lane', 'attempts'],
} as const;

const BATCH_STATUSES = ['validating', 'in_progress', 'finalizing', 'cancelling'] as const;
const FILE_ID_VIEWS = ['null', 'empty', 'omitted', 'late'] as const;
const HTML_PAGE = '<!DOCTYPE html><html><head><title>Gateway</title></head><body><h1>Please sign in</h1></body></html>';
const HTML_HEADERS = { 'content-type': 'text/html; charset=utf-8' };

/** The words a `do` may start with: the first one found names the fault, `extra` are the words that may accompany it. */
const ACTIONS: Readonly<Record<string, { readonly extra: readonly string[]; readonly read: (reader: Reader) => FaultAction }>> = {
  status: { extra: ['body', 'headers', 'processed'], read: readStatus },
  error: { extra: ['headers', 'processed'], read: readNamedError },
  html: {
    extra: ['processed'],
    read: (reader) => onRequest(makeStatus(reader, reader.number('html', { least: 200, most: 599 }), HTML_PAGE, HTML_HEADERS)),
  },
  empty: {
    extra: ['processed'],
    read: (reader) => onRequest(makeStatus(reader, reader.number('empty', { least: 200, most: 599 }), '', {})),
  },
  delayMs: { extra: [], read: (reader) => onRequest({ type: 'delay', delayMs: reader.number('delayMs', { least: 0 }) }) },
  hang: {
    extra: ['processed'],
    read: (reader) => onlyTrue(reader, 'hang', onRequest({ type: 'hang', isProcessed: reader.flag('processed', false) })),
  },
  drop: { extra: [], read: (reader) => onRequest({ type: 'drop', isProcessed: reader.word('drop', ['before', 'after']) === 'after' }) },
  cutAtByte: {
    extra: ['close'],
    read: (reader) => onRequest({ type: 'cut', atByte: reader.number('cutAtByte', { least: 0 }), closes: reader.flag('close', false) }),
  },
  redirect: {
    extra: ['redirectStatus'],
    read: (reader) =>
      onRequest({ type: 'redirect', to: reader.text('redirect'), status: reader.number('redirectStatus', { least: 300, most: 399 }, 307) }),
  },
  dripBytes: {
    extra: ['everyMs'],
    read: (reader) =>
      onRequest({ type: 'drip', bytes: reader.number('dripBytes', { least: 1 }), everyMs: reader.number('everyMs', { least: 0 }, 10) }),
  },
  list: { extra: [], read: (reader) => onRequest({ type: 'list', kind: reader.word('list', LIST_FAULTS) }) },
  shutdownDates: { extra: [], read: readShutdownDates },
  expire: { extra: [], read: (reader) => onBatch({ type: 'expire', share: reader.number('expire', { least: 0, most: 1 }) }) },
  cancel: {
    extra: ['unfinished'],
    read: (reader) =>
      onBatch({
        type: 'cancel',
        share: reader.number('cancel', { least: 0, most: 1 }),
        unfinished: reader.word('unfinished', ['missing', 'lines'], 'missing'),
      }),
  },
  fail: { extra: ['message', 'param', 'lines'], read: readFail },
  outputFileId: { extra: ['errorFileId', 'lateMs'], read: readFileIds },
  errorFileId: { extra: ['lateMs'], read: readFileIds },
  enqueuedTokens: { extra: [], read: (reader) => onBatch({ type: 'enqueuedTokens', most: reader.number('enqueuedTokens', { least: 0 }) }) },
  listLagMs: { extra: [], read: (reader) => onBatch({ type: 'listLag', lagMs: reader.number('listLagMs', { least: 0 }) }) },
  dropMetadata: { extra: [], read: (reader) => onlyTrue(reader, 'dropMetadata', onBatch({ type: 'dropMetadata' })) },
  vanishMs: { extra: [], read: (reader) => onBatch({ type: 'vanish', forMs: reader.number('vanishMs', { least: 0 }) }) },
  idOfBatch: { extra: [], read: (reader) => onBatch({ type: 'idOfBatch', number: reader.number('idOfBatch', { least: 1 }) }) },
  showStatus: { extra: [], read: (reader) => onBatch({ type: 'showStatus', status: reader.text('showStatus') }) },
  goBack: { extra: [], read: (reader) => onBatch({ type: 'goBack', times: reader.number('goBack', { least: 1 }) }) },
  stuck: { extra: [], read: (reader) => onBatch({ type: 'stuck', status: reader.word('stuck', BATCH_STATUSES) }) },
  counts: { extra: [], read: (reader) => onBatch({ type: 'counts', counts: reader.given.counts }) },
  noUsage: { extra: [], read: (reader) => onlyTrue(reader, 'noUsage', onBatch({ type: 'noUsage' })) },
  zeroUsage: { extra: [], read: (reader) => onlyTrue(reader, 'zeroUsage', onBatch({ type: 'zeroUsage' })) },
  bom: { extra: [], read: (reader) => onlyTrue(reader, 'bom', onBatch({ type: 'bom' })) },
  world: { extra: [], read: (reader) => readWorld(reader).done },
  rowStatus: { extra: ['code', 'message'], read: readRowStatus },
  line: { extra: [], read: (reader) => onRow({ type: 'line', kind: reader.word('line', LINE_FAULTS) }) },
  answer: {
    extra: [],
    read: (reader) => ({ scope: 'answer', action: { type: 'answer', answer: { kind: reader.word('answer', ANSWER_FAULTS) } } }),
  },
  answerText: {
    extra: [],
    read: (reader) => ({ scope: 'answer', action: { type: 'answer', answer: { kind: 'text', text: reader.text('answerText') } } }),
  },
};

/**
 * Reads a fault plan from its parsed JSON: an array of `{match?, do, times?, name?}`. Throws a FaultPlanError that names the place in the plan
 * (`faults[2].do.drop`) and the words allowed there.
 */
export function readFaultPlan(plan: unknown): readonly Fault[] {
  if (!Array.isArray(plan)) throw new FaultPlanError('faults: expected an array of {"match": {…}, "do": {…}}');
  return plan.map((entry: unknown, index) => {
    const place = `faults[${index}]`;
    const entryReader = createReader(entry, place, ['name', 'match', 'do', 'times']);
    const given = entryReader.given.do;
    if (!isRecord(given)) entryReader.refuse('do', `expected an object with one of ${Object.keys(ACTIONS).join(', ')}`);
    const word = Object.keys(ACTIONS).find((key) => Object.hasOwn(given as Given, key));
    const action = word === undefined ? undefined : ACTIONS[word];
    if (word === undefined || action === undefined) {
      const allowed = Object.keys(ACTIONS);
      return entryReader.refuse('do', `no known word in it; use one of ${allowed.join(', ')}`, {
        word: Object.keys(given as Given)[0] ?? '',
        allowed,
      });
    }
    const reader = createReader(given, `${place}.do`, [word, ...action.extra]);
    const { done, match: preset } = word === 'world' ? readWorld(reader) : { done: action.read(reader), match: {} };
    const match = { ...preset, ...readMatch(entryReader.given.match, `${place}.match`, done.scope) };
    const times = entryReader.number('times', { least: 1 }, Number.POSITIVE_INFINITY);
    return { ...done, index, match, times, name: entryReader.text('name', `#${index} ${word}`) };
  });
}

function readWorld(reader: Reader): WorldFault {
  try {
    return readWorldFault(reader.text('world'));
  } catch (error) {
    return reader.refuse('world', (error as Error).message);
  }
}

function readMatch(given: unknown, place: string, scope: keyof typeof MATCH_WORDS): FaultMatch {
  const reader = createReader(given ?? {}, place, MATCH_WORDS[scope]);
  for (const key of ['method', 'path', 'custom_id', 'status', 'model']) if (key in reader.given) reader.text(key);
  for (const key of ['nth', 'every', 'row', 'batch']) if (key in reader.given) reader.number(key, { least: 1 });
  if ('share' in reader.given) reader.number('share', { least: 0, most: 1 });
  if ('lane' in reader.given) reader.word('lane', ['batch', 'live']);
  if ('file' in reader.given) reader.word('file', ['input', 'output', 'error']);
  if ('attempts' in reader.given) reader.word('attempts', ['vary', 'first', 'all']);
  return reader.given as FaultMatch;
}

function createReader(given: unknown, place: string, allowed: readonly string[]): Reader {
  const refuse: Reader['refuse'] = (key, reason, slip) => {
    throw new FaultPlanError(`${key === '' ? place : `${place}.${key}`}: ${reason}`, slip);
  };
  if (!isRecord(given)) return refuse('', `expected an object with the words ${allowed.join(', ')}`);
  for (const key of Object.keys(given))
    if (!allowed.includes(key)) refuse(key, `unknown word here; allowed: ${allowed.join(', ')}`, { word: key, allowed });
  return {
    given,
    refuse,
    text(key, fallback) {
      const value = given[key] ?? fallback;
      return typeof value === 'string' ? value : refuse(key, 'expected a text');
    },
    number(key, { least = 0, most = Number.POSITIVE_INFINITY } = {}, fallback) {
      const value = given[key] ?? fallback;
      if (typeof value === 'number' && value >= least && value <= most) return value;
      return refuse(key, `expected a number ${most === Number.POSITIVE_INFINITY ? `of at least ${least}` : `from ${least} to ${most}`}`);
    },
    flag(key, fallback) {
      const value = given[key] ?? fallback;
      return typeof value === 'boolean' ? value : refuse(key, 'expected true or false');
    },
    word(key, words, fallback) {
      const value = given[key] ?? fallback;
      const slip = typeof value === 'string' ? { word: value, allowed: words } : null;
      return words.find((word) => word === value) ?? refuse(key, `expected one of ${words.join(', ')}`, slip);
    },
  };
}

function readStatus(reader: Reader): FaultAction {
  const status = reader.number('status', { least: 200, most: 599 });
  const fallback = {
    error: {
      message: `Simulated status ${status}`,
      type: status >= 500 ? 'server_error' : 'invalid_request_error',
      param: null,
      code: null,
    },
  };
  return onRequest(makeStatus(reader, status, reader.given.body ?? fallback, readHeaders(reader)));
}

function readNamedError(reader: Reader): FaultAction {
  const error = NAMED_ERRORS[reader.word('error', Object.keys(NAMED_ERRORS))];
  if (error === undefined) return reader.refuse('error', `expected one of ${Object.keys(NAMED_ERRORS).join(', ')}`);
  return onRequest(makeStatus(reader, error.status, error.body, readHeaders(reader)));
}

function makeStatus(reader: Reader, status: number, body: unknown, headers: Readonly<Record<string, string>>): RequestAction {
  return { type: 'status', status, body, headers, isProcessed: reader.flag('processed', false) };
}

function readHeaders(reader: Reader): Readonly<Record<string, string>> {
  const headers = reader.given.headers ?? {};
  if (!isRecord(headers)) return reader.refuse('headers', 'expected an object of texts');
  for (const [name, value] of Object.entries(headers)) if (typeof value !== 'string') reader.refuse(`headers.${name}`, 'expected a text');
  return headers as Readonly<Record<string, string>>;
}

function readShutdownDates(reader: Reader): FaultAction {
  const dates = reader.given.shutdownDates;
  if (!isShutdownDates(dates)) return reader.refuse('shutdownDates', 'expected days (YYYY-MM-DD) or null by model');
  return onRequest({ type: 'shutdownDates', dates, isProcessed: true });
}

function readFail(reader: Reader): FaultAction {
  const code = reader.text('fail');
  const lines = reader.given.lines ?? [null];
  if (!Array.isArray(lines) || lines.some((line) => line !== null && typeof line !== 'number'))
    reader.refuse('lines', 'expected an array of line numbers');
  const param = reader.given.param === undefined ? null : reader.text('param');
  return onBatch({
    type: 'fail',
    code,
    message: reader.text('message', `Simulated validation failure ${code}.`),
    param,
    lines: lines as number[],
  });
}

function readFileIds(reader: Reader): FaultAction {
  const view = (key: string) => (key in reader.given ? reader.word(key, FILE_ID_VIEWS) : undefined);
  return onBatch({
    type: 'fileIds',
    output: view('outputFileId'),
    error: view('errorFileId'),
    lateMs: reader.number('lateMs', { least: 0 }, 1_000),
  });
}

function readRowStatus(reader: Reader): FaultAction {
  const status = reader.number('rowStatus', { least: 400, most: 599 });
  const code = reader.given.code === undefined ? (status === 429 ? 'rate_limit_exceeded' : null) : reader.text('code');
  return onRow({ type: 'rowStatus', status, code, message: reader.text('message', `Simulated failure with status ${status}`) });
}

function onlyTrue(reader: Reader, key: string, action: FaultAction): FaultAction {
  return reader.given[key] === true ? action : reader.refuse(key, 'expected true');
}

function onRequest(action: RequestAction): FaultAction {
  return { scope: 'request', action };
}

function onBatch(action: BatchAction): FaultAction {
  return { scope: 'batch', action };
}

function onRow(action: RowAction): FaultAction {
  return { scope: 'row', action };
}
