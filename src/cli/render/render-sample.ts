import type { Sample } from '../../inspect/quality/sample.ts';
import { escapeLineForTerminal } from '../../output/escape-for-terminal.ts';
import { formatCount, formatThings } from '../../output/format-numbers.ts';
import type { Paint } from './paint.ts';
import { renderTable } from './render-table.ts';

const MAX_CELLS = 40;
const MAX_LABELS = 20;
const MAX_STRATA = 30;

/** What was drawn and what to do with it, without a final newline. @param sample the path of the sheet as shown @param next the command that reads it */
export function renderSample(sample: Sample, next: string, paint: Paint): string {
  const { rows, labels, strata } = sample;
  const title = `${sample.job}: ${formatCount(rows.sampled)} of ${formatThings(rows.eligible, 'row')} drawn with seed ${sample.seed}`;
  const kept = rows.inSheet - rows.added;
  const keeps = kept === 0 ? '' : `; ${formatCount(kept)} existing rows were kept, ${formatCount(rows.marked)} of them marked`;
  const marks = labels === null || labels.length > MAX_LABELS ? `the right ${sample.field}` : labels.join(', ');
  return [
    paint('bold', escapeLineForTerminal(title)) + (sample.simulated ? paint('yellow', '  simulated') : ''),
    escapeLineForTerminal(`sheet  ${sample.path}: ${formatThings(rows.added, 'row')} added${keeps}`),
    escapeLineForTerminal(`mark   write into _gold: ${marks}`),
    escapeLineForTerminal(`then   ${next}`),
    ...(strata.length === 0
      ? []
      : [
          '',
          renderTable(
            [
              [sample.by ?? '', 'rows', 'drawn'],
              ...strata
                .slice(0, MAX_STRATA)
                .map((one) => [one.value.trim() === '' ? '(empty)' : one.value, formatCount(one.rows), formatCount(one.sampled)]),
            ],
            { maxCells: MAX_CELLS },
            paint,
          ),
          ...(strata.length > MAX_STRATA ? [`and ${formatCount(strata.length - MAX_STRATA)} values with fewer rows`] : []),
        ]),
  ].join('\n');
}
