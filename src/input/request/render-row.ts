import type { Job } from '../../core/job.ts';
import { makeKey, type Rendered } from '../../core/request.ts';
import type { Row } from '../../core/row.ts';
import { formatCount } from '../../core/wording/format-count.ts';
import { isBlankCell } from './cell-text.ts';
import { ImageProblem, MAX_IMAGE_REQUEST_BYTES } from './image-url.ts';
import { leavesJsonWordToRows, NO_JSON_WORD, saysJson } from './json-word.ts';
import { type CompiledMessage, compileBody } from './request-body.ts';

/** Limits of the API and the model; a row beyond them is skipped. */
export interface RequestLimits {
  readonly maxBodyBytes: number;
  /** Prompt and answer together; null is unknown. */
  readonly contextTokens: number | null;
  /** The longest answer of the model; null is unknown. */
  readonly maxOutputTokens: number | null;
  /** Estimates the tokens of a request from its body. */
  readonly estimateTokens: (text: string) => number;
  /** Why a body may cost more than a row is allowed to; null if it may not. Null or absent: no such limit. */
  readonly findTooDear?: ((body: string, model?: string) => string | null) | null;
}

/**
 * Compiles how a row becomes a request. The result never throws. A row is skipped if all cells used in the prompt are blank (`empty`),
 * if the template fails on it or yields a prompt that JSON mode refuses (`unrenderable`), or if it exceeds a limit of size or cost (`too_large`).
 */
export function compileRender(job: Job, messages: readonly CompiledMessage[], limits: RequestLimits | null): (row: Row) => Rendered {
  const renderBody = compileBody(job, messages);
  const isWordForRows = leavesJsonWordToRows(job, messages);
  const templates = messages.flatMap(({ template, images }) => [template, ...images.map((image) => image.template)]);
  const templated = [...new Set(templates.flatMap(({ columns }) => columns))];
  const bounds = boundRequests(
    limits,
    messages.some(({ images }) => images.length > 0),
  );
  return ({ cells }) => {
    if (templated.length > 0 && templated.every((index) => isBlankCell(cells[index]))) {
      return { status: 'skipped', cause: 'empty', message: 'every cell the prompt uses is empty' };
    }
    let body: string;
    try {
      body = renderBody(cells);
      if (isWordForRows && !messages.some(({ template }) => saysJson(template.render(cells)))) throw new Error(NO_JSON_WORD);
    } catch (error) {
      const cause = error instanceof ImageProblem ? error.skipCause : 'unrenderable';
      return { status: 'skipped', cause, message: (error as Error).message };
    }
    return makeRequest(job, body, bounds);
  };
}

/** The limits of a request, which are lower with images. */
export function boundRequests(limits: RequestLimits | null, hasImages: boolean): RequestLimits | null {
  return limits && hasImages ? { ...limits, maxBodyBytes: Math.min(limits.maxBodyBytes, MAX_IMAGE_REQUEST_BYTES) } : limits;
}

/** The request of a body, unless it exceeds what can be sent. */
export function makeRequest(job: Job, body: string, bounds: RequestLimits | null): Rendered {
  const excess = bounds === null ? null : findExcess(body, job, bounds);
  if (excess !== null) return { status: 'skipped', cause: 'too_large', message: excess };
  const key = makeKey(job.endpoint, body);
  return { status: 'request', request: { key, customId: key, url: job.endpoint, body } };
}

/** In UTF-8 a UTF-16 unit takes at most three bytes, and a token is at least one byte: short bodies need no estimate. */
const MAX_BYTES_PER_CHARACTER = 3;

function findExcess(body: string, job: Job, limits: RequestLimits): string | null {
  const mostBytes = body.length * MAX_BYTES_PER_CHARACTER;
  if (mostBytes > limits.maxBodyBytes && Buffer.byteLength(body) > limits.maxBodyBytes) {
    return `the request has ${Buffer.byteLength(body)} bytes; at most ${limits.maxBodyBytes} are allowed`;
  }
  const tooDear = limits.findTooDear?.(body) ?? null;
  if (tooDear !== null) return tooDear;
  const cap = Number(job.params.max_output_tokens ?? 0);
  if (limits.contextTokens === null || mostBytes + cap <= limits.contextTokens) return null;
  const tokens = limits.estimateTokens(body) + cap;
  return tokens > limits.contextTokens
    ? `about ${formatCount(tokens)} tokens, answer included; the model’s context is ${formatCount(limits.contextTokens)}`
    : null;
}
