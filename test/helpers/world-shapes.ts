import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Job } from '../../src/core/job.ts';
import { decideNextStep, type Outcome } from '../../src/core/outcome.ts';
import { makeJob } from '../../src/input/job/make-job.ts';
import { projectRoot } from './project-root.ts';

/** A shape of fixtures/world, whose README says what the fields are. */
export interface Shape {
  readonly name: string;
  readonly source: string;
  readonly kind: 'answer' | 'line' | 'call' | 'batch' | 'list' | 'download';
  readonly endpoint: string;
  readonly output?: unknown;
  readonly labels?: readonly string[];
  readonly prompt?: string;
  readonly body?: unknown;
  readonly line?: unknown;
  readonly status?: number;
  /** A body that is not JSON. */
  readonly text?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly want: Wanted;
}

export interface Wanted {
  readonly outcome?: string;
  readonly answer?: unknown;
  readonly usage?: Readonly<Record<string, number>> | null;
  readonly askedAgain?: boolean;
  readonly run?: 'stops' | 'goes on';
  readonly exitCode?: number;
  readonly says?: string;
}

const folder = join(projectRoot, 'fixtures', 'world');

/** All shapes, in the order of their files. */
export function readShapes(): readonly Shape[] {
  const files = readdirSync(folder).filter((name) => name.endsWith('.json'));
  return files.flatMap((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as readonly Shape[]);
}

/** The keys of a job that asks for what the shape answers. */
export function makeShapeSpec({ endpoint, output, labels, prompt }: Shape): Readonly<Record<string, unknown>> {
  return {
    endpoint,
    model: endpoint === '/v1/embeddings' ? 'text-embedding-3-small' : 'gpt-4o-mini',
    output,
    ...(labels === undefined ? {} : { labels }),
    prompt: prompt ?? 'Reply in JSON: {{ text }}',
  };
}

export function makeShapeJob(shape: Shape): Job {
  return makeJob({ name: 'world', input: { path: 't.csv' }, ...makeShapeSpec(shape) }, { directory: '/data' });
}

/** What differs between what a shape wants and what came of it; empty when nothing does. */
export function findDifferences(
  { want }: Shape,
  found: Pick<Outcome, 'status' | 'message' | 'value'> & Partial<Outcome>,
): readonly string[] {
  const differences: string[] = [];
  const compare = (what: string, actual: unknown, wanted: unknown) => {
    try {
      assert.deepEqual(actual, wanted);
    } catch {
      differences.push(`${what}: ${JSON.stringify(actual)}, wanted ${JSON.stringify(wanted)} (${found.message})`);
    }
  };
  if (want.outcome === 'not ok') compare('is ok', found.status === 'ok', false);
  else compare('outcome', found.status, want.outcome);
  if (want.answer !== undefined) compare('answer', found.value, want.answer);
  if (want.says !== undefined) compare(`says "${want.says}"`, found.message.includes(want.says), true);
  if (want.usage !== undefined && found.usage !== undefined) compare('usage', pickCounts(found.usage, want.usage), want.usage);
  return differences;
}

function pickCounts(usage: Outcome['usage'], wanted: Wanted['usage']) {
  if (usage === null || wanted === null || wanted === undefined) return usage;
  return Object.fromEntries(Object.keys(wanted).map((count) => [count, usage[count as keyof typeof usage]]));
}

/** Whether a row is sent again after its first answer, while it has attempts left. */
export function isAskedAgain({ status, isUnreadable }: Outcome): boolean {
  const progress = { outcome: status, attempts: 1, idleRounds: 1, isUnreadable };
  const step = decideNextStep(progress, { attempts: 3, onUnknown: 'retry', hasOutputCap: true });
  return step === 'again' || step === 'reask';
}
