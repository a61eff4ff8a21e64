import { answerJson, type WireAnswer, type WireRequest } from '../http-types.ts';
import { cutPage } from '../pages.ts';
import { nowSeconds, type Simulation } from '../simulation.ts';
import type { FileRecord } from '../store.ts';
import { WireError } from '../wire-error.ts';
import { uploadFile } from './upload.ts';

/** POST /v1/files */
export async function createFile(simulation: Simulation, request: WireRequest): Promise<WireAnswer> {
  return answerJson(await uploadFile(simulation, request));
}

/** GET /v1/files: `purpose`, `limit` 1..10,000 (default 10,000), `order` (newest first by default), `after`. */
export async function listFiles(simulation: Simulation, { query }: WireRequest): Promise<WireAnswer> {
  const purpose = query.get('purpose');
  const order = query.get('order') ?? 'desc';
  if (order !== 'asc' && order !== 'desc') {
    const message = `Invalid value: '${order}'. Supported values are: 'asc' and 'desc'.`;
    throw new WireError(400, { message, param: 'order', code: 'invalid_value' });
  }
  const records = [...simulation.store.files.values()].filter((record) => !isExpired(record, simulation));
  records.sort((left, right) => (order === 'asc' ? left.number - right.number : right.number - left.number));
  const files = records.map(({ wire }) => wire).filter((file) => purpose === null || file.purpose === purpose);
  return answerJson(cutPage(files, query, { defaultLimit: 10_000, mostLimit: 10_000 }));
}

/** GET /v1/files/{id} */
export async function retrieveFile(simulation: Simulation, { id }: WireRequest): Promise<WireAnswer> {
  return answerJson(findFile(simulation, id).wire);
}

/** GET /v1/files/{id}/content: the bytes as they were written. */
export async function readFileContent(simulation: Simulation, { id }: WireRequest): Promise<WireAnswer> {
  const { wire } = findFile(simulation, id);
  return { type: 'file', status: 200, path: simulation.store.contentPath(id), bytes: wire.bytes };
}

/** DELETE /v1/files/{id} */
export async function deleteFile(simulation: Simulation, { id }: WireRequest): Promise<WireAnswer> {
  findFile(simulation, id);
  simulation.store.deleteFile(id);
  return answerJson({ id, object: 'file', deleted: true });
}

/** A file that exists and has not expired, or undefined. */
export function lookUpFile(simulation: Simulation, id: string): FileRecord | undefined {
  const record = simulation.store.files.get(id);
  return record === undefined || isExpired(record, simulation) ? undefined : record;
}

function findFile(simulation: Simulation, id: string): FileRecord {
  const record = lookUpFile(simulation, id);
  if (record === undefined) throw new WireError(404, { message: `No such File object: ${id}`, param: 'id' });
  return record;
}

function isExpired({ wire }: FileRecord, { clock }: Simulation): boolean {
  return wire.expires_at !== null && wire.expires_at <= nowSeconds(clock);
}
