import { EXIT } from '../../core/errors.ts';
import type { RunComparison, Scores } from '../../core/quality.ts';
import type { NotAsked } from '../../core/summary.ts';
import { describeMost } from '../describe-doubts.ts';
import { describeWithoutAnswer } from '../describe-without-answer.ts';
import { describeAllRows, describeNotAsked, formatCount, formatDollars, formatSpent, formatThings } from '../format-numbers.ts';
import { formatPointsWithin, formatShareWithin } from '../format-quality.ts';
import { describeEmptyRows } from '../verdict.ts';
import { renderMeter } from './charts.ts';
import { capitalize, describeCaveats, describeWinner } from './comparison/describe-comparison.ts';
import { countAskedAbout } from './count-asked-about.ts';
import { describeEstimate } from './describe-estimate.ts';
import type { QualityFacts, ReportFacts } from './facts.ts';
import { formatShare } from './format-times.ts';
import { type Html, html, NOTHING, renderCommand } from './html.ts';
import { shareMoved } from './share-moved.ts';

/** The four questions of a reader: did it work, what did it cost, can I trust it, what do I do next. */
export function renderVerdict(facts: ReportFacts, quality: QualityFacts | null, comparison: RunComparison | null = null): Html {
  const measured = describeComparison(comparison) ?? describeQuality(quality);
  return html`<div class="asks">${answerWorked(facts)}${answerCost(facts)}${answerTrust(facts, measured)}${answerNext(facts)}</div>`;
}

function ask(question: string, answer: Html, say: Html): Html {
  return html`<div class="ask"><h2>${question}</h2><p class="value">${answer}</p><div class="say">${say}</div></div>`;
}

function answerWorked({ summary, causes }: ReportFacts): Html {
  const { rows, exitCode, notAsked } = summary;
  const all = countAskedAbout(summary);
  const isOnlyEmpty = describeEmptyRows(summary) !== null;
  const { where = 0, empty = 0 } = summary.causes;
  const tone = exitCode === EXIT.done || isOnlyEmpty ? 'good' : rows.ok === 0 ? 'bad' : 'warn';
  const word = rows.ok === all || isOnlyEmpty ? 'Yes' : rows.ok === 0 ? 'No' : exitCode === EXIT.done ? 'Yes, within fail_if' : 'In part';
  const left = [
    { count: rows.failed, name: 'failed' },
    { count: rows.skipped - where - empty, name: 'skipped' },
    { count: rows.pending, name: 'not asked yet' },
    { count: empty, name: 'empty, never sent' },
  ].filter(({ count }) => count > 0);
  const words = left.map(({ count, name }) => `${formatCount(count)} ${name}`).join('; ');
  const why = causes.some(({ cause }) => cause !== 'where') ? html` (<a href="#failures">why</a>)` : NOTHING;
  return ask(
    'Did it work?',
    html`<span class="${tone}">${word}</span>`,
    html`${formatCount(rows.ok)} of ${formatThings(all, 'row')} answered${all === 0 ? '' : `, ${formatShare(rows.ok / all)}`}${left.length === 0 ? '' : `; ${words}`}${left.length === 0 ? NOTHING : why}.${notAsked === undefined || rows.pending > 0 ? '' : ` A pilot: ${describeTable(notAsked, rows.in)}.`}`,
  );
}

function describeTable(notAsked: NotAsked, rowsOfRun: number): string {
  const all = describeAllRows(notAsked, rowsOfRun);
  return all === null
    ? `${formatCount(notAsked.rows)} of ${formatThings(notAsked.of, 'row')} of the table not asked`
    : `rows of the table: ${all}`;
}

function answerCost(facts: ReportFacts): Html {
  const { cost, ledger, possiblyBilled = [] } = facts.summary;
  const { budgetNanoUsd } = facts;
  const lost = describeWithoutAnswer(facts.summary);
  const isAll = ledger.nanoUsd === cost.nanoUsd && (ledger.unpricedAttempts ?? 0) === cost.unpricedAttempts;
  const all = isAll ? NOTHING : html` <span class="soft">of ${formatSpent(ledger.nanoUsd, ledger.unpricedAttempts ?? 0)}</span>`;
  const hasDoubts = cost.possiblyBilledNanoUsd > 0 || possiblyBilled.length > 0;
  const most = describeMost(cost.possiblyBilledNanoUsd, possiblyBilled);
  const doubts = hasDoubts ? ` ${capitalize(most)} more may have been billed.` : '';
  return ask(
    'What did it cost?',
    html`${formatSpent(cost.nanoUsd, cost.unpricedAttempts)}${all}`,
    html`${budgetNanoUsd === null || budgetNanoUsd === 0 ? NOTHING : renderBudget(cost.nanoUsd, budgetNanoUsd)}${isAll ? '' : 'this run, of all runs of this table; '}${describeEstimate(facts)}.${lost === null ? '' : ` Of it ${lost}.`}${doubts}`,
  );
}

function renderBudget(nanoUsd: number, budgetNanoUsd: number): Html {
  const share = nanoUsd / budgetNanoUsd;
  const words = `${formatShare(share)} of the budget of ${formatDollars(budgetNanoUsd)}`;
  return html`<div class="meter">${renderMeter(words, share, share > 0.9 ? 'f-skip' : 'f-main')}</div>${words}; `;
}

/** If more answers than this moved to other values, it is mentioned. */
const SHIFT_SHARE = 0.1;

/** What gold labels, or another run, show about this one. */
interface Measured {
  readonly value: string;
  readonly say: Html;
}

function describeQuality(quality: QualityFacts | null): Measured | null {
  if (quality === null) return null;
  const { low, high } = quality.intervals.accuracy;
  const say = html`<a href="#quality">right</a> on ${formatThings(quality.rows.evaluated, 'row')} (95 % interval ${formatShare(low)} to ${formatShare(high)}).`;
  return { value: formatShare(quality.accuracy), say };
}

/** Without gold labels there is no winner, only how often both runs agree. */
function describeComparison(comparison: RunComparison | null): Measured | null {
  if (comparison === null) return null;
  const { accuracyDifference, agreement, agreementInterval, a, b } = comparison;
  const link = html`<a href="#comparison">compared</a>`;
  if (accuracyDifference === null || a.scores === null || b.scores === null) {
    const words = `the same answers in both runs: ${formatShareWithin(agreement, agreementInterval)}`;
    return {
      value: agreement === null ? 'Not known' : `${formatShare(agreement)} the same`,
      say: html`Baseline and candidate (this run) ${link}; ${words}.`,
    };
  }
  const value = describeWinner(comparison);
  const share = ({ accuracy, intervals }: Scores) => formatShareWithin(accuracy, intervals.accuracy);
  const right = `the candidate, this run, is right in ${share(b.scores)}, the baseline in ${share(a.scores)}`;
  return { value, say: html`${link}: ${right}; difference ${formatPointsWithin(accuracyDifference)}${describeCaveats(comparison)}.` };
}

function answerTrust({ summary, warnings, fields, commands }: ReportFacts, measured: Measured | null): Html {
  const told = warnings.messages.length + warnings.more;
  const { conflict = 0, foreign = 0 } = summary.anomalies;
  const shifts = fields.flatMap((field) => {
    const share = shareMoved(field);
    return share !== null && share > SHIFT_SHARE
      ? [html`the shares of <a href="#answers">${field.field}</a> have shifted by ${formatShare(share)} since the last run`]
      : [];
  });
  const doubts: readonly Html[] = [
    ...(told === 0 ? [] : [html`<a href="#warnings">${formatThings(told, 'warning')}</a>`]),
    ...(conflict === 0 ? [] : [html`<a href="#money">${formatThings(conflict, 'conflicting line')}</a>: one request, two answers`]),
    ...(foreign === 0 ? [] : [html`<a href="#money">${formatThings(foreign, 'foreign line')}</a>: answers to none of our requests`]),
    ...shifts.slice(0, 1),
    ...(summary.unmarked === undefined ? [] : [html`${formatThings(summary.unmarked, 'answer')} not marked as finished`]),
    ...(summary.unwrapped === undefined ? [] : [html`${formatThings(summary.unwrapped, 'answer')} with text around the JSON`]),
  ];
  const listed = doubts.length === 0 ? NOTHING : html`<ul>${doubts.map((doubt) => html`<li>${doubt}</li>`)}</ul>`;
  if (measured !== null) {
    const value = summary.simulated ? html`<span class="warn">${measured.value}, simulated</span>` : html`${measured.value}`;
    return ask('Can I trust it?', value, html`${measured.say}${summary.simulated ? ' Every answer is made up.' : ''}${listed}`);
  }
  if (summary.simulated)
    return ask('Can I trust it?', html`<span class="warn">No, simulated</span>`, html`Every answer is made up.${listed}`);
  const measure = commands?.sample === undefined ? NOTHING : html` Label a few rows to find out: ${renderCommand(commands.sample)}`;
  return ask(
    'Can I trust it?',
    doubts.length === 0 ? html`No doubts found` : html`<span class="warn">Look first</span>`,
    html`${listed}Accuracy is not measured.${measure}`,
  );
}

function answerNext({ summary, causes }: ReportFacts): Html {
  const [first, ...others] = causes.filter(({ retry }) => retry !== null);
  if (summary.rows.pending === 0 && first?.retry != null) {
    const more = others.length === 0 ? NOTHING : html` The other causes have <a href="#failures">commands of their own</a>.`;
    return ask('What next?', html`Retry ${formatThings(first.rows, 'row')}`, html`${renderCommand(first.retry)}${more}`);
  }
  const { notAsked } = summary;
  if (notAsked !== undefined && (summary.next === null || summary.next === notAsked.command)) {
    const command = notAsked.command === null ? NOTHING : renderCommand(notAsked.command);
    return ask('What next?', html`Ask the rest`, html`${describeNotAsked(notAsked)}. ${command}`);
  }
  if (summary.next !== null) {
    const { pending, failed, skipped } = summary.rows;
    const word = pending > 0 ? 'Continue' : failed === 0 && skipped > 0 ? 'See what was skipped' : 'See what failed';
    return ask('What next?', html`${word}`, renderCommand(summary.next));
  }
  const table = summary.outputs.table === null ? NOTHING : html`The table: <b>${summary.outputs.table}</b>`;
  const emptyRows = describeEmptyRows(summary);
  const allowed = emptyRows === null ? NOTHING : html`. Empty rows count as skipped, so this is exit 3: <code>${emptyRows.remedy}</code>`;
  return ask('What next?', html`Nothing to do`, html`${table}${allowed}`);
}
