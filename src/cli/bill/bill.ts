import { relative, resolve } from 'node:path';
import { EXIT } from '../../core/errors.ts';
import { type BillKey, readBill } from '../../inspect/bill/read-bill.ts';
import { writeBillCsv } from '../../inspect/bill/write-bill-csv.ts';
import { chooseBilledOrigin } from '../choose-provider.ts';
import type { JobFlags } from '../options/flags.ts';
import { makeReadOptions } from '../read-options.ts';
import { paintFor, print, printJson, say } from '../say.ts';
import { renderBill } from './render-bill.ts';

export interface BillFlags extends Omit<JobFlags, 'input'> {
  readonly since?: string;
  readonly until?: string;
  readonly by?: BillKey;
  readonly csv?: string;
}

/** `rowmill bill [FOLDER]`: the cost of all jobs below it. Exit 1 if a ledger could not be counted; the others are shown. */
export async function bill(folder: string, flags: BillFlags): Promise<number> {
  const made = await readBill({
    ...makeReadOptions('', flags),
    folder,
    origin: chooseBilledOrigin(flags),
    since: flags.since ?? null,
    until: flags.until ?? null,
    by: flags.by ?? null,
    csvPath: flags.csv ?? null,
  });
  if (flags.csv !== undefined) await writeBillCsv(resolve(flags.csv), made);
  if (flags.json === true) printJson(made);
  else print(renderBill(made, relative(process.cwd(), made.folder) || '.', paintFor(process.stdout)));
  for (const sentence of [...made.notes, ...made.problems]) say(sentence);
  if (made.problems.length > 0) say('This bill is incomplete: its sums leave out what the lines above name');
  if (flags.csv !== undefined) say(`Full table: ${relative(process.cwd(), resolve(flags.csv))}`);
  return made.problems.length > 0 ? EXIT.bug : EXIT.done;
}
