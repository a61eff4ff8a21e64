import * as fs from 'node:fs';
import { hashDigits } from '../hash.ts';
import type { WireRequest } from '../http-types.ts';
import { type FormPart, readForm } from '../multipart.ts';
import { nowSeconds, type Simulation } from '../simulation.ts';
import type { FileRecord } from '../store.ts';
import { WireError } from '../wire-error.ts';

const LONGEST_FIELD_BYTES = 64 * 1024;
const LEAST_EXPIRY_SECONDS = 3_600;
const MOST_EXPIRY_SECONDS = 2_592_000;
const PURPOSES = ['assistants', 'batch', 'fine-tune', 'vision', 'user_data', 'evals'];

interface Form {
  readonly fields: ReadonlyMap<string, string>;
  readonly file: { readonly name: string; readonly bytes: number } | undefined;
}

/** POST /v1/files: streams the file to disk, checks what the API checks at upload, and keeps it. Throws WireError 400 or 413. */
export async function uploadFile(simulation: Simulation, request: WireRequest): Promise<FileRecord['wire']> {
  const { store, clock } = simulation;
  const number = store.nextNumber();
  const id = `file-${hashDigits(store.identity, 'file', number)}`;
  const temporary = `${store.contentPath(id)}.tmp`;
  try {
    const form = await receiveForm(simulation, request, temporary);
    const purpose = readPurpose(form);
    if (form.file === undefined) throw missing('file');
    const { name: filename, bytes } = form.file;
    if (purpose === 'batch') checkBatchFile(filename, bytes, temporary, simulation);
    const createdAt = nowSeconds(clock);
    const expiresAt = readExpiry(form.fields, createdAt) ?? (purpose === 'batch' ? createdAt + MOST_EXPIRY_SECONDS : null);
    fs.renameSync(temporary, store.contentPath(id));
    const wire = {
      id,
      object: 'file',
      bytes,
      created_at: createdAt,
      expires_at: expiresAt,
      filename,
      purpose,
      status: 'processed',
      status_details: null,
    } as const;
    store.saveFile({ number, wire });
    return wire;
  } finally {
    fs.rmSync(temporary, { force: true });
  }
}

async function receiveForm({ limits }: Simulation, request: WireRequest, temporary: string): Promise<Form> {
  const fields = new Map<string, string>();
  let file: Form['file'];
  for await (const part of readForm(request.stream, request.headers['content-type'])) {
    if (part.name === 'file') file = { name: part.filename ?? 'file', bytes: await savePart(part, temporary, limits.fileBytes) };
    else fields.set(part.name, await readField(part));
  }
  return { fields, file };
}

async function savePart(part: FormPart, path: string, mostBytes: number): Promise<number> {
  const handle = await fs.promises.open(path, 'w', 0o600);
  let bytes = 0;
  try {
    for await (const chunk of part.content) {
      bytes += chunk.length;
      if (bytes > mostBytes) throw new WireError(413, { message: `Maximum content size limit (${mostBytes}) exceeded` });
      await handle.write(chunk);
    }
  } finally {
    await handle.close();
  }
  return bytes;
}

async function readField(part: FormPart): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of part.content) {
    bytes += chunk.length;
    if (bytes > LONGEST_FIELD_BYTES) throw new WireError(400, { message: `Field '${part.name}' is too long.`, param: part.name });
    chunks.push(Buffer.from(chunk));
  }
  return Buffer.concat(chunks).toString('utf8');
}

function readPurpose({ fields }: Form): string {
  const purpose = fields.get('purpose');
  if (purpose === undefined) throw missing('purpose');
  if (PURPOSES.includes(purpose)) return purpose;
  throw new WireError(400, { message: `'${purpose}' is not one of ${JSON.stringify(PURPOSES)} - 'purpose'`, param: 'purpose' });
}

/** What is checked of a batch input at upload: extension, size, and the first line. Bad later lines fail the batch. */
function checkBatchFile(filename: string, bytes: number, path: string, { limits }: Simulation): void {
  if (!filename.endsWith('.jsonl')) throw new WireError(400, { message: 'Invalid file format for Batch API. Must be .jsonl' });
  if (bytes > limits.batchFileBytes) throw new WireError(400, { message: 'File is too large.' });
  if (bytes === 0) {
    const message = 'The input file is empty. Please ensure that the batch contains at least one request.';
    throw new WireError(400, { message, code: 'empty_file' });
  }
  try {
    JSON.parse(readFirstLine(path));
  } catch {
    throw new WireError(400, { message: 'Invalid file format for Batch API. Must be .jsonl' });
  }
}

function readFirstLine(path: string): string {
  const descriptor = fs.openSync(path, 'r');
  try {
    let text = Buffer.alloc(0);
    const chunk = Buffer.alloc(64 * 1024);
    for (let bytes = fs.readSync(descriptor, chunk); bytes > 0 && !text.includes(10); bytes = fs.readSync(descriptor, chunk)) {
      text = Buffer.concat([text, chunk.subarray(0, bytes)]);
    }
    const end = text.indexOf(10);
    return text.toString('utf8', 0, end < 0 ? text.length : end);
  } finally {
    fs.closeSync(descriptor);
  }
}

function readExpiry(fields: Form['fields'], createdAt: number): number | undefined {
  const text = fields.get('expires_after[seconds]');
  const anchor = fields.get('expires_after[anchor]');
  if (text === undefined && anchor === undefined) return undefined;
  if (anchor !== 'created_at') {
    const message = `Invalid value: '${anchor ?? ''}'. Supported values are: 'created_at'.`;
    throw new WireError(400, { message, param: 'expires_after.anchor', code: 'invalid_value' });
  }
  return createdAt + checkExpirySeconds(Number(text), 'expires_after.seconds');
}

/** Passes the seconds through if they are between an hour and 30 days. Throws WireError 400. */
export function checkExpirySeconds(seconds: number, param: string): number {
  if (Number.isInteger(seconds) && seconds >= LEAST_EXPIRY_SECONDS && seconds <= MOST_EXPIRY_SECONDS) return seconds;
  const message = `Invalid '${param}': expected an integer between ${LEAST_EXPIRY_SECONDS} and ${MOST_EXPIRY_SECONDS}, but got ${seconds} instead.`;
  throw new WireError(400, { message, param, code: 'invalid_value' });
}

function missing(param: string): WireError {
  return new WireError(400, { message: `Missing required parameter: '${param}'.`, param, code: 'missing_required_parameter' });
}
