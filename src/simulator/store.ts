import * as fs from 'node:fs';
import * as path from 'node:path';
import type { BatchAction } from './faults/fault-plan.ts';
import type { WireBatch, WireFile } from './wire-objects.ts';

/** A file and its position in the order of creation. */
export interface FileRecord {
  readonly number: number;
  readonly wire: WireFile;
}

/** A batch, its position in the order of creation, and what only the provider knows about it. */
export interface BatchRecord {
  readonly number: number;
  readonly createdAtMs: number;
  readonly wire: WireBatch;
  /** Prompt tokens counted against the model's queue until the terminal status; 0 without a limit. */
  readonly enqueuedTokens: number;
  /** Seconds after creation at which its output and error file expire; null: never. */
  readonly outputExpiresAfterSeconds: number | null;
  /** Decided at creation, so that a restart keeps them. */
  readonly faults: readonly BatchAction[];
  readonly finishedAtMs: number | null;
}

/** Files and batches, held in memory as small records and on disk as one JSON file each, replaced by rename. */
export interface Store {
  readonly directory: string;
  /** Stays the same over restarts and differs between stores: the seed of ids. */
  readonly identity: string;
  readonly files: ReadonlyMap<string, FileRecord>;
  readonly batches: ReadonlyMap<string, BatchRecord>;
  nextNumber(): number;
  contentPath(fileId: string): string;
  saveFile(record: FileRecord): void;
  deleteFile(fileId: string): void;
  saveBatch(record: BatchRecord): void;
  /** Shows progress that need not survive a kill. */
  showBatch(record: BatchRecord): void;
}

/** Opens a state directory, or creates it. `identity` is used if it is new. Half-written files of a killed process are removed. */
export function openStore(directory: string, identity: string): Store {
  const filesDirectory = path.join(directory, 'files');
  const batchesDirectory = path.join(directory, 'batches');
  for (const made of [filesDirectory, batchesDirectory]) fs.mkdirSync(made, { recursive: true, mode: 0o700 });
  const identityPath = path.join(directory, 'identity.json');
  if (!fs.existsSync(identityPath)) writeWhole(identityPath, { identity });
  const kept = readJson(identityPath) as { readonly identity: string; readonly lastNumber?: number };
  const files = new Map(loadRecords<FileRecord>(filesDirectory).map((record) => [record.wire.id, record]));
  const batches = new Map(loadRecords<BatchRecord>(batchesDirectory).map((record) => [record.wire.id, record]));
  removeLitter(filesDirectory, files);
  let lastNumber = Math.max(kept.lastNumber ?? 0, ...[...files.values(), ...batches.values()].map((record) => record.number));

  return {
    directory,
    identity: kept.identity,
    files,
    batches,
    nextNumber() {
      lastNumber += 1;
      return lastNumber;
    },
    contentPath: (fileId) => path.join(filesDirectory, `${fileId}.data`),
    saveFile(record) {
      writeWhole(path.join(filesDirectory, `${record.wire.id}.json`), record);
      files.set(record.wire.id, record);
    },
    deleteFile(fileId) {
      // Its number goes with it, and no id is given twice.
      writeWhole(identityPath, { identity: kept.identity, lastNumber });
      files.delete(fileId);
      fs.rmSync(path.join(filesDirectory, `${fileId}.json`), { force: true });
      fs.rmSync(path.join(filesDirectory, `${fileId}.data`), { force: true });
    },
    saveBatch(record) {
      writeWhole(path.join(batchesDirectory, `${record.wire.id}.json`), record);
      batches.set(record.wire.id, record);
    },
    showBatch: (record) => void batches.set(record.wire.id, record),
  };
}

/** Replaces a small file atomically: a reader, or the next start, sees the old one or the new one. */
function writeWhole(file: string, content: unknown): void {
  fs.writeFileSync(`${file}.tmp`, JSON.stringify(content), { mode: 0o600 });
  fs.renameSync(`${file}.tmp`, file);
}

/** In the order of creation. */
function loadRecords<T extends { readonly number: number }>(directory: string): readonly T[] {
  const names = fs.readdirSync(directory).filter((name) => name.endsWith('.json'));
  const records = names.map((name) => readJson(path.join(directory, name)) as T);
  return records.sort((left, right) => left.number - right.number);
}

function removeLitter(directory: string, files: ReadonlyMap<string, FileRecord>): void {
  for (const name of fs.readdirSync(directory)) {
    const isKept = name.endsWith('.json') || (name.endsWith('.data') && files.has(name.slice(0, -'.data'.length)));
    if (!isKept) fs.rmSync(path.join(directory, name), { force: true });
  }
}

function readJson(file: string): unknown {
  return JSON.parse(fs.readFileSync(file, 'utf8'));
}
