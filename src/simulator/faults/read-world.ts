import type { FaultAction, FaultMatch } from './fault-plan.ts';
import { findWorldShape, type WorldShape } from './world-shapes.ts';

/** A shape as a fault, and the request it applies to if the plan's `match` does not say. */
export interface WorldFault {
  readonly done: FaultAction;
  readonly match: FaultMatch;
}

/** @throws Error if no shape has this name */
export function readWorldFault(name: string): WorldFault {
  const shape = findWorldShape(name);
  const { endpoint } = shape;
  switch (shape.kind) {
    case 'answer':
      return { done: { scope: 'answer', action: { type: 'answer', answer: { kind: 'world', body: bodyOf(shape) } } }, match: {} };
    case 'line':
      return { done: { scope: 'row', action: { type: 'world', line: shape.line ?? {}, file: fileOf(shape) } }, match: {} };
    case 'batch':
      return { done: { scope: 'batch', action: { type: 'world', body: bodyOf(shape) } }, match: {} };
    case 'call':
      return { done: answering(shape), match: { method: 'POST', path: endpoint } };
    case 'list':
      return { done: answering(shape), match: { method: 'GET', path: endpoint } };
    case 'download':
      return { done: answering(shape), match: { method: 'GET', path: endpoint.replace('@FILE@', '*'), file: 'output' } };
    default:
      return shape.kind satisfies never;
  }
}

function bodyOf({ body }: WorldShape): Readonly<Record<string, unknown>> {
  return body as Readonly<Record<string, unknown>>;
}

/** A successful request takes effect, and keeps the ids of what it created. */
function answering({ status = 200, headers = {}, body, text }: WorldShape): FaultAction {
  const isProcessed = status >= 200 && status <= 299;
  return { scope: 'request', action: { type: 'world', status, headers, body: body ?? text ?? '', isProcessed } };
}

/** Providers put failures into the error file, unless it was seen elsewhere. */
function fileOf({ file, line }: WorldShape): 'output' | 'error' {
  if (file !== undefined) return file;
  const { response, error } = (line ?? {}) as { response?: { status_code?: unknown; body?: { error?: unknown } } | null; error?: unknown };
  const status = Number(response?.status_code ?? 200);
  const hasFailed = response === null || response?.body?.error !== undefined || status < 200 || status > 299 || typeof error === 'string';
  return hasFailed && error !== '' ? 'error' : 'output';
}
