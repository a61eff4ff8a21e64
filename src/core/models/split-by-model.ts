import type { Job } from '../job.ts';

/**
 * Splits the job into one per model, for everything that depends on the model: prices, longest answers, images.
 * @returns the job itself if it names its own model
 */
export function splitByModel<T extends Pick<Job, 'requests' | 'endpoint' | 'model' | 'params' | 'messages'>>(job: T): readonly T[] {
  if (job.requests === undefined) return [job];
  return job.requests.map(({ endpoint, model, tier, capTokens, images }) => ({
    ...job,
    endpoint,
    model,
    params: {
      ...job.params,
      ...(capTokens === null ? {} : { max_output_tokens: capTokens }),
      ...(tier === null ? {} : { service_tier: tier }),
    },
    messages: [{ role: 'user', content: '', images: Array.from({ length: images }, () => ({ url: '', detail: null })) }],
  }));
}

/** The models of a job, each once. */
export function listModels(job: Pick<Job, 'model' | 'requests'>): readonly string[] {
  return job.requests === undefined ? [job.model] : [...new Set(job.requests.map(({ model }) => model))];
}

/** The part of the job that uses this model. */
export function keepModel<T extends Pick<Job, 'requests'>>(job: T, model: string): T {
  return job.requests === undefined ? job : { ...job, requests: job.requests.filter((group) => group.model === model) };
}

/** The models of a job for a person: `gpt-6-luna`, `gpt-6-luna and 2 more`. */
export function showModels(job: Pick<Job, 'model' | 'requests'>): string {
  const { model } = job;
  const more = listModels(job).length - 1;
  return more > 0 ? `${model} and ${more} more` : model;
}
