import type { Job, RequestGroup } from '../../core/job.ts';
import { makeKey, type Rendered } from '../../core/request.ts';
import type { Row } from '../../core/row.ts';
import type { RequestLimits } from '../request/render-row.ts';

/** The job of a table of requests once its groups are known from the table; any other job unchanged. */
export function bindRequests(job: Job, groups: readonly RequestGroup[] | undefined): Job {
  const [first] = groups ?? [];
  if (job.input.format !== 'requests' || groups === undefined || first === undefined) return job;
  // Bodies are sent as they are: nothing is added for the prompt cache.
  return { ...job, model: first.model, endpoint: first.endpoint, params: { prompt_cache: 'provider' }, requests: groups };
}

/** The request of a row in a table of requests: its body, byte for byte. */
export function compileRequestRender(limits: RequestLimits | null): (row: Row) => Rendered {
  return ({ request }) => {
    if (request === undefined) return { status: 'skipped', cause: 'unrenderable', message: 'the row has no request' };
    const { url, model, body } = request;
    const excess = limits === null ? null : findExcess(body, model, limits);
    if (excess !== null) return { status: 'skipped', cause: 'too_large', message: excess };
    const key = makeKey(url, body);
    return { status: 'request', request: { key, customId: key, url, body, model } };
  };
}

/** Whether a prompt is too long for its model is left to the provider. */
function findExcess(body: string, model: string, { maxBodyBytes, findTooDear }: RequestLimits): string | null {
  const bytes = Buffer.byteLength(body);
  if (bytes > maxBodyBytes) return `the request has ${bytes} bytes; at most ${maxBodyBytes} are allowed`;
  return findTooDear?.(body, model) ?? null;
}
