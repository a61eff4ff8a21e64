import type { PathProblem } from '../job/output-shorthand.ts';

/** What each line of a table of requests contains itself. */
const KEYS_OF_LINES = ['model', 'endpoint', 'prompt', 'messages', 'labels', 'examples', 'votes', 'confidence', 'params'] as const;

interface Said extends Readonly<Partial<Record<(typeof KEYS_OF_LINES)[number], unknown>>> {
  readonly input: { readonly format?: string; readonly columns?: unknown };
  readonly mode?: string;
}

/** What a job for a table of requests must not contain. */
export function checkRequestsJob(spec: Said): readonly PathProblem[] {
  if (spec.input.format !== 'requests') return [];
  const problems: PathProblem[] = KEYS_OF_LINES.filter((key) => spec[key] !== undefined).map((key) => {
    return { path: [key], message: `${key}: does not go with format: requests; each line has its own and is sent as it is` };
  });
  if (spec.mode === 'flex')
    problems.push({
      path: ['mode'],
      message: 'mode: flex puts a tier into the bodies, and those of requests are sent as they are; use mode: live',
    });
  if (spec.input.columns !== undefined)
    problems.push({
      path: ['input', 'columns'],
      message: 'input.columns: is not for format: requests, whose columns are custom_id, url, model',
    });
  return problems;
}
