import { formatUsd } from '../../core/summary.ts';

/** The content of a metrics file. Seconds are Unix time or durations; null is left out: unknown values are never shown as 0. */
export interface RunMetrics {
  readonly job: string;
  readonly simulated: boolean;
  readonly isRunning: boolean;
  /** How the last run ended; null during a run. */
  readonly exitCode: number | null;
  readonly startedAtSeconds: number;
  readonly durationSeconds: number;
  /** When a run last ended with 0. */
  readonly lastSuccessSeconds: number | null;
  /** By disposition; null if the table was not read. */
  readonly rows: Readonly<Record<'ok' | 'failed' | 'skipped' | 'pending', number>> | null;
  readonly attempts: Readonly<Record<'batch' | 'live', number>> | null;
  readonly tokens: Readonly<Record<'input' | 'cached_input' | 'output' | 'reasoning', number>> | null;
  readonly cost: {
    readonly nanoUsd: number;
    readonly possiblyBilledNanoUsd: number | null;
    readonly ledgerNanoUsd: number | null;
    readonly unpricedAttempts: number;
  } | null;
}

interface Sample {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: string;
}

export const LAST_SUCCESS = 'rowmill_last_success_timestamp_seconds';

/** The text format of Prometheus (exposition format 0.0.4, prometheus.io, seen 2026-11-29). All are gauges: the figures of one run. */
export function renderMetrics(metrics: RunMetrics): string {
  const { job, rows, attempts, tokens, cost } = metrics;
  const common = { job };
  const one = (value: number | string | null): readonly Sample[] => (value === null ? [] : [{ value: String(value) }]);
  const by = (name: string, values: Readonly<Record<string, number>> | null): readonly Sample[] =>
    values === null ? [] : Object.entries(values).map(([value, count]) => ({ labels: { [name]: value }, value: String(count) }));
  const families: readonly (readonly [name: string, help: string, samples: readonly Sample[]])[] = [
    ['rowmill_run_running', 'Whether a run is in progress.', one(metrics.isRunning ? 1 : 0)],
    ['rowmill_run_simulated', 'Whether no real model answers: nothing is paid.', one(metrics.simulated ? 1 : 0)],
    ['rowmill_run_exit_code', 'How the last run ended; absent during a run.', one(metrics.exitCode)],
    ['rowmill_run_start_timestamp_seconds', 'When it began.', one(metrics.startedAtSeconds)],
    ['rowmill_run_duration_seconds', 'How long it has taken.', one(metrics.durationSeconds)],
    [LAST_SUCCESS, 'When a run of the job last ended with exit code 0.', one(metrics.lastSuccessSeconds)],
    ['rowmill_run_rows', 'Rows of the table by what became of them.', by('disposition', rows)],
    ['rowmill_run_attempts', 'Tries that use an attempt, by lane.', by('lane', attempts)],
    ['rowmill_run_tokens', 'Tokens the provider reported; cached input and reasoning are parts of input and output.', by('kind', tokens)],
    ['rowmill_run_cost_usd', 'What the run has cost, as far as prices are known.', one(cost === null ? null : formatUsd(cost.nanoUsd))],
    [
      'rowmill_run_possibly_billed_usd',
      'The most that calls without an answer can have cost; in no other sum.',
      one(cost?.possiblyBilledNanoUsd == null ? null : formatUsd(cost.possiblyBilledNanoUsd)),
    ],
    ['rowmill_run_unpriced_attempts', 'Billed attempts of unknown price; in no sum.', one(cost?.unpricedAttempts ?? null)],
    [
      'rowmill_ledger_cost_usd',
      'What all runs of the job together have cost.',
      one(cost?.ledgerNanoUsd == null ? null : formatUsd(cost.ledgerNanoUsd)),
    ],
  ];
  return families
    .filter(([, , samples]) => samples.length > 0)
    .map(([name, help, samples]) => {
      const lines = samples.map(({ labels = {}, value }) => `${name}{${renderLabels({ ...common, ...labels })}} ${value}\n`);
      return `# HELP ${name} ${help}\n# TYPE ${name} gauge\n${lines.join('')}`;
    })
    .join('');
}

function renderLabels(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`)
    .join(',');
}

/** When the job last ended with 0, according to an earlier file; null if that file says nothing about this job. */
export function readLastSuccess(text: string, job: string): number | null {
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${LAST_SUCCESS}{job="${job}"} `));
  const seconds = Number(line?.split(' ').at(-1) ?? Number.NaN);
  return Number.isFinite(seconds) && seconds > 0 ? seconds : null;
}

/** The job of an earlier file; null if it is not one of ours. */
export function readJobName(text: string): string | null {
  return text.startsWith('# HELP rowmill_') ? (/\{job="([A-Za-z0-9._-]+)"/.exec(text)?.[1] ?? null) : null;
}
