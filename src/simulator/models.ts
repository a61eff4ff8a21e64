import { answerJson, type WireAnswer, type WireRequest } from './http-types.ts';
import { findModelRules, listModels } from './model-rules.ts';
import type { Simulation } from './simulation.ts';
import { WireError } from './wire-error.ts';

/** When the models say they were created: the day of the oldest price in the tables. */
const CREATED_AT = 1_700_000_000;

/** GET /v1/models */
export async function answerModels(): Promise<WireAnswer> {
  return answerJson({ object: 'list', data: listModels().map(renderModel) });
}

/** GET /v1/models/{id} */
export async function retrieveModel(_simulation: Simulation, { id }: WireRequest): Promise<WireAnswer> {
  if (findModelRules(id) !== undefined) return answerJson(renderModel(id));
  throw new WireError(404, { message: `The model '${id}' does not exist`, param: 'model', code: 'model_not_found' });
}

function renderModel(id: string) {
  return { id, object: 'model', created: CREATED_AT, owned_by: 'system' };
}
