import { hash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import type { Job, Mode } from '../../core/job.ts';
import { VERSION } from '../../core/version.ts';
import {
  listNames,
  makeTemporaryPath,
  openForReading,
  openPrivateFile,
  readBytesAt,
  readPrivateText,
  removeQuietly,
  writeFully,
} from '../../ledger/disk/durable-files.ts';
import { findHolder } from '../../ledger/disk/find-holder.ts';
import type { ProcessIdentity } from '../../ledger/disk/process-identity.ts';
import type { KeptPaths } from '../open/kept-summary.ts';
import type { StatusFacts } from './status-facts.ts';

/**
 * `status.json` of a state directory: the state of the job as recorded by the process working on it, so that `status` need not read all
 * results. It is derived and never synced: `status` uses it only if it is proven to match the files.
 */
export interface KeptStatus {
  readonly schema: typeof SCHEMA;
  readonly version: string;
  readonly at: string;
  /** Identifies the acquisition of the lock under which it was written. */
  readonly holder: string;
  /** The content of the directory when nothing more was to be added; null while the writer continued. */
  readonly state: string | null;
  /** The job itself, for a status without its file. */
  readonly about: JobFacts;
  /** What else a status depends on. Null if the same job may ask something else tomorrow, because it has code or reads images: only a status without its file is given by this record. */
  readonly job: string | null;
  /** As returned by `hashPrices`. */
  readonly prices: string;
  readonly inputs: readonly string[];
  /** Those of the run that was working then. */
  readonly paths: Pick<KeptPaths, 'input' | 'out'>;
  readonly facts: StatusFacts;
}

const SCHEMA = 'rowmill.kept-status/2';
const NAME = 'status.json';
const MAX_BYTES = 1 << 26;
/** A working process writes it every few seconds at least; an older file is not trusted. */
const FRESH_MS = 10_000;
/** Of the event log: its end distinguishes logs of the same length. */
const TAIL_BYTES = 4096;

/** What a status says about the job itself. */
export interface JobFacts {
  readonly model: string;
  readonly mode: Mode;
}

/** Replaces the last one. It is derived: a failing disk costs the next `status` time, nothing else. */
export function writeKeptStatus(directory: string, kept: Omit<KeptStatus, 'schema' | 'version'>, token: string): void {
  const file = path.join(directory, NAME);
  const temporaryPath = makeTemporaryPath(file, token);
  const { O_WRONLY, O_CREAT, O_EXCL } = fs.constants;
  try {
    const descriptor = openPrivateFile(temporaryPath, O_WRONLY | O_CREAT | O_EXCL);
    try {
      writeFully(descriptor, Buffer.from(`${JSON.stringify({ schema: SCHEMA, version: VERSION, ...kept })}\n`), 0);
    } finally {
      fs.closeSync(descriptor);
    }
    fs.renameSync(temporaryPath, file);
  } catch {
    removeQuietly(temporaryPath);
  }
}

/** Null if there is none, or none that this version wrote. */
export function readKeptStatus(directory: string): KeptStatus | null {
  try {
    const kept = JSON.parse(readPrivateText(path.join(directory, NAME), MAX_BYTES) ?? 'null') as KeptStatus | null;
    return kept?.schema === SCHEMA && kept.version === VERSION ? kept : null;
  } catch {
    return null;
  }
}

/**
 * Whether it matches the directory's files: either the process that wrote it is still working on them and has just updated it, or they have not changed
 * since it was written.
 */
export function isOfNow(kept: KeptStatus, directory: string, { own, now }: { readonly own: ProcessIdentity; readonly now: Date }): boolean {
  try {
    if (kept.state !== null) return kept.state === markState(directory);
    const ageMs = now.getTime() - Date.parse(kept.at);
    return ageMs <= FRESH_MS && findHolder(directory, own)?.token === kept.holder;
  } catch {
    return false;
  }
}

/** Identifies everything recorded in a state directory, which only grows: the length and the end of its log, the names and sizes of its answers. */
export function markState(directory: string): string {
  const descriptor = openForReading(path.join(directory, 'events.jsonl'));
  try {
    const { size } = fs.fstatSync(descriptor);
    const offsetBytes = Math.max(0, size - TAIL_BYTES);
    const tail = readBytesAt(descriptor, { offsetBytes, lengthBytes: size - offsetBytes });
    const responses = path.join(directory, 'responses');
    const sizes = listNames(responses).map((name) => `${name} ${fs.lstatSync(path.join(responses, name)).size}`);
    return hash('sha256', [size, tail.toString('latin1'), ...sizes].join('\n'));
  } finally {
    fs.closeSync(descriptor);
  }
}

/** Identifies the job of a status: where it sends its rows and writes its tables is not part of that. */
export function markJob({ mode: _mode, write: _write, input, ...others }: Job): string {
  return hash('sha256', JSON.stringify([others, { ...input, path: null }]));
}
