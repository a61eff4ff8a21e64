import type { Job, RequestGroup } from '../../core/job.ts';
import { makeKey, type Rendered } from '../../core/request.ts';
import type { Row } from '../../core/row.ts';
import type { RequestLimits } from '../request/render-row.ts';

/** The job of a table of requests once the table has told what it asks; any other job as it is. */
export function bindRequests(job: Job, groups: readonly RequestGroup[] | undefined): Job {
  const [first] = groups ?? [];
  if (job.input.format !== 'requests' || groups === undefined || first === undefined) return job;
  // Bodies are sent as they are: nothing is put into them for the prompt cache.
  return { ...job, model: first.model, endpoint: first.endpoint, params: { prompt_cache: 'provider' }, requests: groups };
}

/** What a row of a table of requests asks: its body, byte for byte. */
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

/** Whether a prompt is too long for its model is the provider's to say. */
function findExcess(body: string, model: string, { maxBodyBytes, findTooDear }: RequestLimits): string | null {
  const bytes = Buffer.byteLength(body);
  if (bytes > maxBodyBytes) return `the request has ${bytes} bytes; at most ${maxBodyBytes} are allowed`;
  return findTooDear?.(body, model) ?? null;
}
