import type { Costs } from '../../inspect/bill/costs.ts';
import { type Bill, groupRows } from '../../inspect/bill/read-bill.ts';
import { formatCount, formatDollars, formatSpent, formatThings } from '../../output/format-numbers.ts';
import type { Paint } from '../render/paint.ts';
import { renderTable } from '../render/render-table.ts';

/** A longer name would push the cost beyond 80 columns. */
const MAX_CELLS = 28;
const LEAST_CELLS = 16;

/** A bill as a table, for a person, without a final newline. @param folder as it is shown */
export function renderBill(bill: Bill, folder: string, paint: Paint): string {
  const { total, apart } = bill;
  const title = `${bill.simulated ? 'Simulated: nothing was paid. ' : ''}Jobs below ${folder}, ${describeDays(bill)} (UTC)`;
  const by = bill.by ?? 'job';
  const groups = bill.groups ?? groupRows(bill.rows, by);
  const table = renderTable(
    [
      [by, 'attempts', 'tokens in', 'tokens out', 'spent'],
      ...groups.map((group) => describe(group.name, group)),
      ...(groups.length > 1 ? [describe('total', total)] : []),
    ],
    { maxCells: MAX_CELLS, words: 1, leastCells: LEAST_CELLS, spare: ['tokens in', 'tokens out', 'attempts'] },
    paint,
  );
  const lines = groups.length === 0 ? [] : [table, ...describeRest(total)];
  if (apart !== null) lines.push(`Simulated, in no figure above: ${formatSpent(apart.total.nanoUsd, apart.total.unpricedAttempts)}`);
  return [title, ...lines].join('\n');
}

function describeDays({ from, to, rows, apart }: Bill): string {
  const range = [from === null ? '' : `from ${from}`, to === null ? '' : `to ${to}`].join(' ').trim();
  if (rows.length > 0 || apart !== null) return from === to ? `${from}` : range;
  return `nothing was spent ${from !== null && from === to ? `on ${from}` : range}`.trim();
}

function describe(name: string, { attempts, inputTokens, outputTokens, nanoUsd, unpricedAttempts }: Costs): readonly string[] {
  return [name, formatCount(attempts), formatCount(inputTokens), formatCount(outputTokens), formatSpent(nanoUsd, unpricedAttempts)];
}

/** What a sum of money does not show. */
function describeRest(total: Costs): readonly string[] {
  const {
    failedNanoUsd,
    orphanedNanoUsd,
    unpricedAttempts,
    possiblyBilledCalls: calls,
    possiblyBilledNanoUsd,
    possiblyBilledUnpriced,
  } = total;
  const lines: string[] = [];
  if (failedNanoUsd > 0) lines.push(`of it for answers the job as it is now cannot use: ${formatDollars(failedNanoUsd)}`);
  if (orphanedNanoUsd > 0) lines.push(`of it for batches nobody waited for: ${formatDollars(orphanedNanoUsd)}`);
  if (unpricedAttempts > 0) lines.push(`not in it: ${formatThings(unpricedAttempts, 'billed attempt')} of unknown price`);
  if (calls > 0) {
    const most = formatSpent(possiblyBilledNanoUsd, possiblyBilledUnpriced);
    lines.push(`not in it: ${formatThings(calls, 'call')} without an answer that may have been billed, ${most} at most`);
  }
  return lines;
}
