import path from 'node:path';
import { type Problem, UsageError } from '../../core/errors.ts';
import type { ExamplesSpec, ImageTemplate, Job, Label, MessageTemplate, StopRule, StopSign } from '../../core/job.ts';
import { type JobSource, NO_SOURCE, type Path, showPath, showValue, sortByPlace } from '../../core/problem-path.ts';
import { withCapOfExtra } from '../request/extra-params.ts';
import { checkRequestsJob } from '../requests/check-requests-job.ts';
import { guessFormat } from '../table/table-format.ts';
import { ANY_ROW, readNanoUsd, readStopLimit, readThreshold } from './amounts.ts';
import { checkAgainstSchema } from './check-job.ts';
import { readDatedPath } from './dated-path.ts';
import { readDelimiter } from './delimiter.ts';
import type { ImageSpec, JobSpec } from './job-spec.ts';
import { readNotify } from './notify-spec.ts';
import type { PathProblem } from './output-shorthand.ts';
import { readOutput } from './output-spec.ts';
import { checkInput, readInput } from './read-input.ts';

const NANO_USD_PER_USD = 1_000_000_000;

/** Where a job comes from, and what its relative paths refer to. */
export interface JobOrigin {
  readonly source: JobSource;
  /** Absolute. */
  readonly directory: string;
  readonly file: string | null;
  readonly text: string;
}

/**
 * Makes a job from a plain object with the keys of a job file, for jobs defined in TypeScript. Relative paths are relative to `directory`.
 * @throws UsageError with every problem
 */
export function makeJob(spec: unknown, options: { readonly directory: string; readonly text?: string }): Job {
  const text = options.text ?? `${JSON.stringify(spec, null, 2)}\n`;
  const reading = readJob(spec, { source: NO_SOURCE, directory: path.resolve(options.directory), file: null, text });
  if (reading.job === null || reading.problems.length > 0) throw new UsageError(reading.problems, { code: 'job' });
  return reading.job;
}

/** A job, null if the value is too far from one, and every problem in it. */
export function readJob(value: unknown, origin: JobOrigin): { readonly job: Job | null; readonly problems: readonly Problem[] } {
  const schemaProblems = checkAgainstSchema(value, origin.source);
  const spec = value as JobSpec;
  try {
    const { job, problems } = buildJob(spec, origin);
    const placed = problems.map(({ path: at, message }) => ({ place: origin.source.placeOf(at), message }));
    return { job, problems: sortByPlace([...schemaProblems, ...placed]) };
  } catch (error) {
    // A value of the wrong type caused this; the schema has already reported it.
    if (schemaProblems.length === 0) throw error;
    return { job: null, problems: schemaProblems };
  }
}

function buildJob(spec: JobSpec, origin: JobOrigin): { job: Job; problems: readonly PathProblem[] } {
  const problems: PathProblem[] = [...checkRequestsJob(spec)];
  const labels = readLabels(spec.labels);
  const { output, problems: outputProblems } = readOutput(
    spec.input.format === 'requests' ? (spec.output ?? 'text') : spec.output,
    labels.map((label) => label.name),
  );
  if (spec.output !== undefined) problems.push(...outputProblems, ...checkVector(spec));
  const readUsd = (usd: number | undefined, at: Path): number | null => {
    if (usd === undefined) return null;
    const nanoUsd = readNanoUsd(usd);
    // Non-numeric amounts are reported by the schema.
    if (nanoUsd === null && usd >= 0 && usd < Number.POSITIVE_INFINITY)
      problems.push({ path: at, message: `${showPath(at)}: must be dollars with at most nine decimals, not ${usd}` });
    return nanoUsd;
  };
  const readLimit = (limit: string | number | undefined, at: Path) => {
    if (limit === undefined) return ANY_ROW;
    const threshold = readThreshold(limit);
    if (threshold === null) problems.push({ path: at, message: `${showPath(at)}: must be like "> 1%" or "> 5", not ${showValue(limit)}` });
    return threshold ?? ANY_ROW;
  };
  const keep = spec.write?.keep ?? 'all';
  problems.push(...checkInput(spec.input));
  const isStdout = spec.write?.path === '-';
  const writePath = path.resolve(
    origin.directory,
    isStdout || spec.write?.path === undefined ? nameDefaultTable(spec, isStdout) : spec.write.path,
  );
  const { dated, problems: pathProblems } = readDatedPath(writePath, spec.write?.timezone);
  problems.push(...pathProblems);
  if (typeof keep === 'string' && keep !== 'all') {
    problems.push({ path: ['write', 'keep'], message: `write.keep: must be all or a list of columns, not ${showValue(keep)}` });
  }
  const job: Job = {
    name: spec.name,
    description: spec.description ?? null,
    file: origin.file,
    directory: origin.directory,
    text: origin.text,
    input: readInput(spec.input, origin.directory),
    model: spec.model ?? '',
    endpoint: spec.endpoint ?? '/v1/chat/completions',
    mode: spec.mode ?? 'batch',
    messages: readMessages(spec, problems),
    output,
    labels,
    examples: readExamplesSpec(spec, origin.directory),
    votes: spec.votes ?? 1,
    confidence: spec.confidence ?? null,
    params: withCapOfExtra(spec.params ?? {}),
    limits: {
      requestsPerMinute: spec.limits?.rpm ?? null,
      tokensPerMinute: spec.limits?.tpm ?? null,
      concurrency: spec.limits?.concurrency ?? null,
      enqueuedTokens: spec.limits?.enqueued_tokens ?? null,
    },
    budget: {
      nanoUsd: readUsd(spec.budget?.usd, ['budget', 'usd']),
      nanoUsdPerRow: readUsd(spec.budget?.usd_per_row, ['budget', 'usd_per_row']),
      nanoUsdPerMonth: readUsd(spec.budget?.usd_per_month, ['budget', 'usd_per_month']),
      nanoUsdTotal: readUsd(spec.budget?.usd_total, ['budget', 'usd_total']),
    },
    confirmOverNanoUsd: readUsd(spec.confirm_over, ['confirm_over']) ?? NANO_USD_PER_USD,
    retry: { attempts: spec.retry?.attempts ?? 3 },
    onUnknown: spec.on_unknown ?? 'retry',
    dedupe: spec.dedupe ?? true,
    write: {
      path: writePath,
      ...(dated === null ? {} : { dated: { ...dated, date: null } }),
      ...(isStdout ? { isStdout } : {}),
      keep: typeof keep === 'string' ? 'all' : keep,
      prefix: spec.write?.prefix ?? '',
      excel: spec.write?.excel ?? false,
      ...readWriteDelimiter(spec),
    },
    stopIf: readStopRules(spec, problems),
    pilot: spec.pilot ?? null,
    notify: readNotify(spec.notify, problems),
    failIf: {
      failedRows: readLimit(spec.fail_if?.failed_rows, ['fail_if', 'failed_rows']),
      skippedRows: readLimit(spec.fail_if?.skipped_rows, ['fail_if', 'skipped_rows']),
    },
  };
  return { job, problems };
}

/** Absent if it is the default, which is not part of a finished run's fingerprint. */
function readWriteDelimiter({ write }: JobSpec): Pick<Job['write'], 'delimiter'> {
  const delimiter = readDelimiter(write?.delimiter ?? ',');
  return delimiter === ',' ? {} : { delimiter };
}

function readExamplesSpec({ examples }: JobSpec, directory: string): ExamplesSpec | null {
  if (examples === undefined) return null;
  return {
    path: path.resolve(directory, examples.path),
    input: examples.input ?? {},
    output: examples.output ?? {},
    count: examples.count ?? 5,
    seed: examples.seed ?? 1,
    holdout: examples.holdout === undefined ? null : path.resolve(directory, examples.holdout),
  };
}

/** An embedding is a vector, and nothing else is. */
function checkVector({ endpoint, output }: JobSpec): readonly PathProblem[] {
  const isEmbedding = endpoint === '/v1/embeddings';
  if (isEmbedding === (output === 'vector')) return [];
  const message = isEmbedding
    ? 'output: /v1/embeddings answers with vectors; write output: vector'
    : 'output: vectors come from endpoint: /v1/embeddings only';
  return [{ path: ['output'], message }];
}

function readStopRules({ stop_if = {} }: JobSpec, problems: PathProblem[]): readonly StopRule[] {
  return Object.entries(stop_if).flatMap(([sign, limit]) => {
    const read = readStopLimit(limit);
    if (read !== null) return [{ sign: sign as StopSign, ...read }];
    const at = ['stop_if', sign];
    problems.push({ path: at, message: `${showPath(at)}: must be like "> 20% of first 200", "> 20%" or "> 50", not ${showValue(limit)}` });
    return [];
  });
}

/** In the format of the input; through a pipe as text. */
function nameDefaultTable(spec: JobSpec, isStdout: boolean): string {
  const format = spec.input.format ?? guessFormat(spec.input.path ?? '') ?? 'csv';
  const extension = ['jsonl', 'json', 'requests'].includes(format) ? 'jsonl' : format === 'parquet' && !isStdout ? 'parquet' : 'csv';
  return `${spec.name}.out.${extension}`;
}

function readLabels(labels: JobSpec['labels']): readonly Label[] {
  if (labels === undefined) return [];
  if (Array.isArray(labels)) return labels.map((name: string) => ({ name, description: '' }));
  return Object.entries(labels).map(([name, description]) => ({ name, description: String(description ?? '') }));
}

/** The template loses one final line break: YAML's `|` adds it, and nobody means it. */
function readMessages(spec: JobSpec, problems: PathProblem[]): readonly MessageTemplate[] {
  const trim = (content: string): string => content.replace(/\r?\n$/, '');
  if (spec.input.format === 'requests') return [];
  if (spec.prompt !== undefined && spec.messages !== undefined)
    problems.push({ path: ['messages'], message: 'messages: cannot be combined with prompt; use one of them' });
  if (spec.messages !== undefined) return spec.messages.map(({ role, content }) => ({ role, content: trim(content) }));
  if (spec.prompt === undefined) {
    problems.push({ path: [], message: 'prompt: missing' });
    return [];
  }
  if (typeof spec.prompt === 'string') return [{ role: 'user', content: trim(spec.prompt) }];
  const { system, user, images = [], files = [] } = spec.prompt;
  const parts = [...images.map(readImage), ...files.map((url) => ({ url, detail: null, isFile: true as const }))];
  return [
    ...(system === undefined ? [] : [{ role: 'system' as const, content: trim(system) }]),
    ...(user === undefined && parts.length === 0
      ? []
      : [{ role: 'user' as const, content: trim(user ?? ''), ...(parts.length === 0 ? {} : { images: parts }) }]),
  ];
}

function readImage(image: string | ImageSpec): ImageTemplate {
  return typeof image === 'string' ? { url: image, detail: null } : { url: image.url, detail: image.detail ?? null };
}
