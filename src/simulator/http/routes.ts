import { cancelBatch, createBatch, listBatches, retrieveBatch } from '../batches/batches.ts';
import { createFile, deleteFile, listFiles, readFileContent, retrieveFile } from '../batches/files.ts';
import { answerJson, type WireAnswer, type WireRequest } from '../http-types.ts';
import { findModelRules, listModels } from '../model-rules.ts';
import type { Simulation } from '../simulation.ts';
import { WireError } from '../wire-error.ts';
import { answerLive } from './live-calls.ts';

/** The handler of a method and path; the path's `:id` becomes the request's `id`. */
export interface Route {
  readonly method: string;
  readonly path: string;
  readonly answer: (simulation: Simulation, request: WireRequest) => Promise<WireAnswer>;
}

const ROUTES: readonly Route[] = [
  { method: 'POST', path: '/v1/chat/completions', answer: answerLive },
  { method: 'POST', path: '/v1/responses', answer: answerLive },
  { method: 'POST', path: '/v1/embeddings', answer: answerLive },
  { method: 'POST', path: '/v1/files', answer: createFile },
  { method: 'GET', path: '/v1/files', answer: listFiles },
  { method: 'GET', path: '/v1/files/:id', answer: retrieveFile },
  { method: 'DELETE', path: '/v1/files/:id', answer: deleteFile },
  { method: 'GET', path: '/v1/files/:id/content', answer: readFileContent },
  { method: 'POST', path: '/v1/batches', answer: createBatch },
  { method: 'GET', path: '/v1/batches', answer: listBatches },
  { method: 'GET', path: '/v1/batches/:id', answer: retrieveBatch },
  { method: 'POST', path: '/v1/batches/:id/cancel', answer: cancelBatch },
  { method: 'GET', path: '/v1/models', answer: answerModels },
  { method: 'GET', path: '/v1/models/:id', answer: retrieveModel },
];

const PATTERNS = ROUTES.map((route) => ({ route, pattern: new RegExp(`^${route.path.replace(':id', '([^/]+)')}$`) }));

/** Finds the route of a request and the id in its path. Undefined: the API has no such endpoint, or the simulator does not speak it. */
export function findRoute(method: string, path: string): { readonly route: Route; readonly id: string } | undefined {
  for (const { route, pattern } of PATTERNS) {
    const match = route.method === method ? pattern.exec(path) : null;
    const id = match === null ? null : decode(match[1] ?? '');
    if (id !== null) return { route, id };
  }
  return undefined;
}

/** Null for an invalid escape in a URL: no id is written so. */
function decode(step: string): string | null {
  try {
    return decodeURIComponent(step);
  } catch {
    return null;
  }
}

/** The creation date of the models: the day of the oldest price in the tables. */
const CREATED_AT = 1_700_000_000;

/** GET /v1/models */
async function answerModels(): Promise<WireAnswer> {
  return answerJson({ object: 'list', data: listModels().map(renderModel) });
}

/** GET /v1/models/{id} */
async function retrieveModel(_simulation: Simulation, { id }: WireRequest): Promise<WireAnswer> {
  if (findModelRules(id) !== undefined) return answerJson(renderModel(id));
  throw new WireError(404, { message: `The model '${id}' does not exist`, param: 'model', code: 'model_not_found' });
}

function renderModel(id: string) {
  return { id, object: 'model', created: CREATED_AT, owned_by: 'system' };
}
