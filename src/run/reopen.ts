import { type FinishOptions, finishRows } from './finish/finish-rows.ts';
import type { Reopen } from './options.ts';

/** Opens failed rows again: those of the wanted causes, each key once. @returns how many keys were opened */
export async function reopenRows(options: FinishOptions, reopen: Reopen): Promise<number> {
  const keys: string[] = [];
  for await (const rows of finishRows(options)) {
    for (const { disposition, key } of rows) {
      if (disposition.status !== 'failed' || key === null) continue;
      if (reopen.causes === null || reopen.causes.has(disposition.cause)) keys.push(key);
    }
  }
  const distinct = [...new Set(keys)];
  if (distinct.length > 0) await options.ledger.append({ type: 'retry-opened', keys: distinct, set: reopen.set });
  return distinct.length;
}
