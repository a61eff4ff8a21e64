import { hash, randomUUID } from 'node:crypto';
import { closeSync, constants, existsSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import {
  listNames,
  makePrivateDirectory,
  openPrivateFile,
  readPrivateText,
  writeFileAtomically,
  writeFully,
} from '../../ledger/disk/durable-files.ts';

/** What is known about the delivery of a notice, in `notices/<hash of its id>.json`: neither its address nor the receiver's response. */
export interface NoticeRecord {
  readonly id: string;
  readonly event: string;
  readonly sentence: string;
  /** A `sending` that is a minute old: the process was killed before it knew the result. */
  readonly status: 'sending' | 'told' | 'unanswered' | 'failed';
  readonly tries: number;
  readonly at: string;
}

export interface NoticeRecords {
  /** Claims a notice for delivery. @returns how often it was tried before; null if it was delivered, is being delivered by another process, or failed too often */
  claim(notice: Pick<NoticeRecord, 'id' | 'event' | 'sentence'>, now: Date): number | null;
  settle(record: NoticeRecord): void;
}

/** The id for a run that has none: it contains a day. */
const REFUSAL = /^stopped \d{4}-\d\d-\d\d /;
const MAX_TRIES = 5;
/** A post takes seconds. */
const ABANDONED_AFTER_MS = 60_000;
const KEPT_RECORDS = 200;
/** No event lasts longer: a batch, and its answers, are gone by then. */
const KEPT_MS = 60 * 86_400_000;
const MAX_BYTES = 1 << 16;

/** Runs that ended without a summary since then, as reported or to be reported: the ledger has no run for them. */
export function listRefusals(stateDirectory: string, since: string): readonly NoticeRecord[] {
  const directory = join(stateDirectory, 'notices');
  return listNames(directory)
    .filter((name) => name.endsWith('.json'))
    .flatMap((name) => readRecord(join(directory, name)) ?? [])
    .filter(({ id, at }) => REFUSAL.test(id) && at > since)
    .toSorted((a, b) => (a.at < b.at ? -1 : 1));
}

/** The records of a state directory, created with the first notice. */
export function openNoticeRecords(stateDirectory: string): NoticeRecords {
  const directory = join(stateDirectory, 'notices');
  const locate = (id: string) => join(directory, `${hash('sha256', id).slice(0, 24)}.json`);
  return {
    claim({ id, event, sentence }, now) {
      makePrivateDirectory(directory);
      const file = locate(id);
      const record: NoticeRecord = { id, event, sentence, status: 'sending', tries: 1, at: now.toISOString() };
      if (createOnce(file, record)) {
        prune(directory, now);
        return 0;
      }
      const known = readRecord(file);
      if (known !== null && !isDue(known, now)) return null;
      const tries = known?.tries ?? 0;
      writeFileAtomically(file, print({ ...record, tries: tries + 1 }), randomUUID());
      return tries;
    },
    settle: (record) => writeFileAtomically(locate(record.id), print(record), randomUUID()),
  };
}

function isDue({ status, tries, at }: NoticeRecord, now: Date): boolean {
  if (tries >= MAX_TRIES) return false;
  return status === 'failed' || (status === 'sending' && Math.abs(now.getTime() - Date.parse(at)) >= ABANDONED_AFTER_MS);
}

/** Of two processes that deliver the same notice only one creates the file. */
function createOnce(file: string, record: NoticeRecord): boolean {
  if (existsSync(file)) return false;
  try {
    const descriptor = openPrivateFile(file, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL);
    try {
      writeFully(descriptor, Buffer.from(print(record)), 0);
    } finally {
      closeSync(descriptor);
    }
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Null if it is damaged: then it is delivered again. */
function readRecord(file: string): NoticeRecord | null {
  try {
    const record = JSON.parse(readPrivateText(file, MAX_BYTES) ?? '') as NoticeRecord;
    return Number.isInteger(record.tries) && typeof record.at === 'string' ? record : null;
  } catch {
    return null;
  }
}

function print(record: NoticeRecord): string {
  return `${JSON.stringify(record)}\n`;
}

/** Old ones are removed when there are many: their events are long over, or they would be reported again. */
function prune(directory: string, now: Date): void {
  const names = listNames(directory);
  if (names.length <= KEPT_RECORDS) return;
  for (const name of names) {
    const changedMs = statSync(join(directory, name), { throwIfNoEntry: false })?.mtimeMs ?? 0;
    if (now.getTime() - changedMs > KEPT_MS) rmSync(join(directory, name), { force: true });
  }
}
