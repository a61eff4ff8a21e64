import { clip, MAX_MESSAGE_CHARACTERS } from '../core/bounds/clip.ts';
import { EXIT } from '../core/errors.ts';
import { ApiError } from './api-error.ts';

/** A file at the provider, with the fields rowmill uses. */
export interface RemoteFile {
  readonly id: string;
  readonly bytes: number;
  readonly filename: string;
  readonly createdSeconds: number;
  /** Lower case; null if the provider sends none: OpenAI has deprecated it, Azure relies on it. */
  readonly status: string | null;
}

/** A batch at the provider. Absent, null and "" all become null: the wire uses all three for "not set" (openai-contract section 3). */
export interface RemoteBatch {
  readonly id: string;
  /** Lower case; one of the API's statuses, or an unknown word. */
  readonly status: string;
  readonly inputFileId: string | null;
  readonly outputFileId: string | null;
  readonly errorFileId: string | null;
  readonly createdSeconds: number;
  readonly expiresSeconds: number | null;
  readonly counts: { readonly total: number; readonly completed: number; readonly failed: number };
  readonly errors: readonly BatchProblem[];
  readonly metadata: Readonly<Record<string, string>>;
  /** The batch's own usage, verbatim; null if there is none. */
  readonly usage: unknown;
}

/** One entry of a failed batch's error list. `line` counts from 1; null for the whole file. */
export interface BatchProblem {
  readonly code: string;
  readonly message: string;
  readonly param: string | null;
  readonly line: number | null;
}

export const TERMINAL_STATUSES: ReadonlySet<string> = new Set(['completed', 'failed', 'expired', 'cancelled']);

/** The statuses rowmill knows; a batch with any other is polled on, with a warning. */
export const KNOWN_STATUSES: ReadonlySet<string> = new Set([...TERMINAL_STATUSES, 'validating', 'in_progress', 'finalizing', 'cancelling']);

/** @throws ApiError of kind `unknown` if the response is not a batch, for example a proxy's HTML page */
export function readRemoteBatch(value: unknown): RemoteBatch {
  const batch = objectOf(value);
  if (!isId(batch.id) || typeof batch.status !== 'string') throw notThatShape('a batch');
  const counts = objectOf(batch.request_counts);
  return {
    id: batch.id,
    status: nameStatus(batch.status),
    inputFileId: idOf(batch.input_file_id),
    outputFileId: idOf(batch.output_file_id),
    errorFileId: idOf(batch.error_file_id),
    createdSeconds: secondsOf(batch.created_at) ?? 0,
    expiresSeconds: secondsOf(batch.expires_at),
    counts: { total: countOf(counts.total), completed: countOf(counts.completed), failed: countOf(counts.failed) },
    errors: readProblems(batch),
    metadata: readMetadata(batch.metadata),
    usage: readShortUsage(batch.usage),
  };
}

/** The response to a create, which Together wraps in `job` (its API description of 2026-04-28). @throws ApiError of kind `unknown` if it is not a batch */
export function readCreatedBatch(value: unknown): RemoteBatch {
  const { job } = objectOf(value);
  return readRemoteBatch(job ?? value);
}

/** @throws ApiError of kind `unknown` if the response is not a file */
export function readRemoteFile(value: unknown): RemoteFile {
  const file = objectOf(value);
  if (!isId(file.id)) throw notThatShape('a file');
  return {
    id: file.id,
    bytes: isCount(file.bytes) ? file.bytes : -1,
    filename: clip(textOf(file.filename) ?? '', MAX_ID_CHARACTERS),
    createdSeconds: secondsOf(file.created_at) ?? 0,
    status: nameStatus(textOf(file.status) ?? '') || null,
  };
}

/** The files of one page of a list. @throws ApiError of kind `unknown` if an entry is not a file */
export function readFilePage(value: unknown): readonly RemoteFile[] {
  return readPage(value).map(readRemoteFile);
}

/** A model an address has. */
export interface RemoteModel {
  readonly id: string;
  /** The day it is switched off, `YYYY-MM-DD`; null: the provider says that none is announced; undefined: it does not say (OpenAI's page of deprecations, read 2026-11-29). */
  readonly endsOn: string | null | undefined;
}

/** The models of a list; entries without an id are skipped. */
export function readModelPage(value: unknown): readonly RemoteModel[] {
  return readPage(value).flatMap((model) => readRemoteModel(model) ?? []);
}

/** A model as in a list or in a response of its own; null if it is not one. */
export function readRemoteModel(value: unknown): RemoteModel | null {
  const { id: given, shutdown_date: told } = objectOf(value);
  const id = idOf(given);
  if (id === null) return null;
  return { id, endsOn: told === null ? null : readDay(told) };
}

/** A day, also if given as a time; undefined if invalid, like the year 1 that servers written in Go send for "not set". */
function readDay(told: unknown): string | undefined {
  const seconds = secondsOf(typeof told === 'string' ? /^\d{4}-\d{2}-\d{2}/.exec(told)?.[0] : told);
  return seconds === null || seconds === 0 ? undefined : new Date(seconds * 1000).toISOString().slice(0, 10);
}

/** Whether a file with this status is not ready yet. One that failed never will be. */
export function isBeingProcessed(status: string | null): boolean {
  return status !== null && status !== 'processed' && status !== 'error';
}

/** The objects of one page of a list; Together sends a bare array, Azure's samples have them in `value`. @throws ApiError of kind `unknown` if the response is not a list */
function readPage(value: unknown): readonly unknown[] {
  const { data, object, value: values } = objectOf(value);
  // Servers written in Go send this for an empty list.
  if (data === null && object === 'list') return [];
  const page = [value, data, values].find(Array.isArray);
  if (page === undefined) throw notThatShape('a list');
  return page;
}

/** Together gives one reason, as a string in `error`. */
function readProblems({ errors, error }: Record<string, unknown>): readonly BatchProblem[] {
  const { data } = objectOf(errors);
  if (Array.isArray(data)) return data.map(readProblem);
  const message = textOf(error);
  return message === null ? [] : [readProblem({ message })];
}

/** The batches of one page of a list. An invalid entry does not hide the others. */
export function readBatchPage(value: unknown): readonly RemoteBatch[] {
  return readPage(value).flatMap((entry) => {
    const { id, status } = objectOf(entry);
    return isId(id) && typeof status === 'string' ? [readRemoteBatch(entry)] : [];
  });
}

/** Lower case, with OpenAI's double l: Together writes a single one. */
function nameStatus(status: string): string {
  return clip(status, MAX_STATUS_CHARACTERS)
    .toLowerCase()
    .replace(/^cancel(ing|ed)$/, 'cancell$1');
}

/** Unix seconds; Azure's samples and Together use ISO dates, others milliseconds (seen 2026-11-29). Null for an implausible time. */
function secondsOf(value: unknown): number | null {
  const given = typeof value === 'string' ? Date.parse(clip(value, MAX_ID_CHARACTERS)) : value;
  if (typeof given !== 'number' || !(given >= 0 && given < MOST_SECONDS * 1000)) return null;
  return typeof value === 'string' || given > MOST_SECONDS ? Math.floor(given / 1000) : given;
}

/** The year 5138: a larger number is in milliseconds. */
const MOST_SECONDS = 1e11;

function readProblem(value: unknown): BatchProblem {
  const problem = objectOf(value);
  return {
    code: idOf(problem.code) ?? 'unknown_error',
    message: clip(textOf(problem.message) ?? 'the provider gave no message', MAX_MESSAGE_CHARACTERS),
    param: idOf(problem.param),
    line: isCount(problem.line) ? problem.line : null,
  };
}

/** As many as the API stores: 16 pairs (openai-contract section 3). */
function readMetadata(value: unknown): Record<string, string> {
  const pairs = Object.entries(objectOf(value)).filter(
    (entry): entry is [string, string] => isId(entry[0]) && typeof entry[1] === 'string',
  );
  return Object.fromEntries(pairs.slice(0, MAX_PAIRS).map(([name, text]) => [name, clip(text, MAX_VALUE_CHARACTERS)]));
}

/** The counts of a batch's usage are stored as received; longer strings than counts can be are dropped. */
function readShortUsage(usage: unknown): unknown {
  return usage === undefined || JSON.stringify(usage).length > MAX_USAGE_CHARACTERS ? null : usage;
}

/** Ids become file names and appear in messages. OpenAI's have about 40 characters, those of gateways that embed another id some hundred. */
const MAX_ID_CHARACTERS = 1_024;
const MAX_STATUS_CHARACTERS = 40;
const MAX_PAIRS = 16;
const MAX_VALUE_CHARACTERS = 512;
const MAX_USAGE_CHARACTERS = 4_096;

function isId(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= MAX_ID_CHARACTERS;
}

function idOf(value: unknown): string | null {
  return isId(value) ? value : null;
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function countOf(value: unknown): number {
  return isCount(value) ? value : 0;
}

function notThatShape(what: string): ApiError {
  return new ApiError(`the answer is not ${what}: is the base URL right, or a proxy in between`, {
    kind: 'unknown',
    code: 'unexpected_shape',
    exitCode: EXIT.notFinished,
  });
}

function objectOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}
