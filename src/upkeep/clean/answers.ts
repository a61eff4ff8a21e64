import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '../../core/errors.ts';
import { syncDirectory } from '../../ledger/disk/durable-files.ts';
import type { LedgerFold } from '../../ledger/events/fold.ts';
import type { Upkeep } from '../../ledger/upkeep/open-upkeep.ts';
import { type RecordedPart, stripFile } from '../../ledger/upkeep/strip-files.ts';
import { measure } from './local-litter.ts';
import type { StateFacts } from './state-facts.ts';

/** Answers in a state directory. */
export interface StoredAnswers {
  readonly files: number;
  readonly lines: number;
  readonly bytes: number;
}

/** Files that repeat answers, or would make a table look finished that no longer has any. */
const REPEATED = ['settled.jsonl', 'status.json', 'runs', 'stdout'];

/** @throws UsageError while a run is open, or paid results are still to come: they would come back */
export function listAnswers(directory: string, facts: StateFacts, fold: LedgerFold): readonly (readonly RecordedPart[])[] {
  const responses = join(directory, 'responses');
  const names = [...new Set(facts.parts.map(({ file }) => file))].filter((file) => existsSync(join(responses, file)));
  const files = names.map((name) => facts.parts.filter(({ file }) => file === name));
  const open = describeOpen(fold) ?? files.map((parts) => describeLate(responses, parts)).find((late) => late !== null) ?? null;
  if (open !== null) throw new UsageError(`--answers: ${open}: finish it first, by rowmill run`, { code: 'open_run' });
  return files;
}

function describeOpen(fold: LedgerFold): string | null {
  if (fold.currentRun !== null) return `run ${fold.currentRun.id} has not ended`;
  if ([...fold.batches.values()].some(({ isCollected }) => !isCollected)) return 'a batch is not collected yet';
  return fold.queuedCalls.size > 0 ? 'calls are in the queue' : null;
}

/** A live file may contain lines that arrived after the run had ended. */
function describeLate(responses: string, parts: readonly RecordedPart[]): string | null {
  const recorded = Math.max(...parts.map(({ offsetBytes, bytes }) => offsetBytes + bytes));
  const [{ file = '' } = {}] = parts;
  return measure(join(responses, file)).bytes > recorded ? `responses/${file} has answers that are not recorded yet` : null;
}

export function measureAnswers(directory: string, files: readonly (readonly RecordedPart[])[]): StoredAnswers {
  const sizes = files.map(([part]) => measure(join(directory, 'responses', part?.file ?? '')).bytes);
  return {
    files: files.length,
    lines: files.flat().reduce((sum, { lines }) => sum + lines, 0),
    bytes: sizes.reduce((sum, bytes) => sum + bytes, 0),
  };
}

/**
 * Removes answers and keeps their cost. A new generation starts, so that every row is sent again; what is kept of each file is on disk and
 * announced before the file is deleted, so that an interruption loses nothing.
 */
export async function removeAnswers(
  upkeep: Upkeep,
  files: readonly (readonly RecordedPart[])[],
  { directory, randomId, signal }: { readonly directory: string; readonly randomId: () => string; readonly signal: AbortSignal },
): Promise<void> {
  const responses = join(directory, 'responses');
  const parts = [];
  for (const recorded of files) parts.push(...(await stripFile(recorded, { responses, randomId, signal })));
  await upkeep.append({ type: 'generation-started', generation: upkeep.fold.generation + 1 });
  await upkeep.append({ type: 'answers-removed', parts });
  upkeep.assertHeld();
  for (const [part] of files) rmSync(join(responses, part?.file ?? ''), { force: true });
  syncDirectory(responses);
  for (const name of REPEATED) rmSync(join(directory, name), { recursive: true, force: true });
}
