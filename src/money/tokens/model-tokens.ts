import type { Request } from '../../core/request.ts';
import { createJobTokens, type JobTokens } from './job-tokens.ts';

/** What is known about prompt tokens, by the model that counts them. */
export interface ModelTokens {
  /** For the job's model; in a table of requests that of its first row. */
  readonly own: JobTokens;
  of(request: Pick<Request, 'model'>): JobTokens;
}

export function createModelTokens(ownModel: string): ModelTokens {
  const known = new Map<string, JobTokens>();
  const find = (model: string): JobTokens => {
    const tokens = known.get(model) ?? createJobTokens(model);
    known.set(model, tokens);
    return tokens;
  };
  return { own: find(ownModel), of: ({ model = ownModel }) => find(model) };
}
