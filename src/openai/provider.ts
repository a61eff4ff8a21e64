import { hash } from 'node:crypto';
import { openAsBlob } from 'node:fs';
import type OpenAI from 'openai';
import { hideSecret } from '../core/hide-secret.ts';
import { callWithin, type StartTimer } from '../core/timer.ts';
import { callEndpoint, type EndpointCall, type EndpointResult } from './call-endpoint.ts';
import { classifyFailure } from './classify.ts';
import { type RemoteBatch, type RemoteFile, readBatchPage, readPage, readRemoteBatch, readRemoteFile } from './wire.ts';

/** The calls rowmill makes. Each is one HTTP request, never repeated here, and throws only ApiError (or the caller's abort). */
export interface Provider {
  /** Where it talks to. */
  readonly baseUrl: string;
  /** 12 hex digits that tell two keys apart without saying what they are. */
  readonly keyFingerprint: string;
  /** Whether an answer carried the simulator's header. */
  isSimulated(): boolean;
  uploadFile(options: { path: string; filename: string; signal: AbortSignal }): Promise<RemoteFile>;
  /** Files of purpose batch, newest first, one page. */
  listFiles(options: { after: string | null; signal: AbortSignal }): Promise<readonly RemoteFile[]>;
  retrieveFile(id: string, signal: AbortSignal): Promise<RemoteFile>;
  /** The raw body of a file; the caller guards against stalls. */
  openContent(id: string, signal: AbortSignal): Promise<ReadableStream<Uint8Array>>;
  deleteFile(id: string, signal: AbortSignal): Promise<void>;
  createBatch(options: {
    inputFileId: string;
    endpoint: string;
    metadata: Readonly<Record<string, string>>;
    signal: AbortSignal;
  }): Promise<RemoteBatch>;
  retrieveBatch(id: string, signal: AbortSignal): Promise<RemoteBatch>;
  /** One page of at most 100 batches; the API knows no filter and no order (openai-contract section 3). */
  listBatches(options: { after: string | null; signal: AbortSignal }): Promise<readonly RemoteBatch[]>;
  cancelBatch(id: string, signal: AbortSignal): Promise<RemoteBatch>;
  listModels(signal: AbortSignal): Promise<readonly string[]>;
  /** Makes one live call. What fails is data; throws only the signal's reason. */
  callEndpoint(call: EndpointCall): Promise<EndpointResult>;
}

export interface ProviderOptions {
  readonly apiKey: string;
  readonly baseUrl: string;
  readonly clock: () => Date;
  readonly startTimer: StartTimer;
  /** Deadline of one call over headers and body, uploads and downloads excepted. */
  readonly callTimeoutMs?: number;
}

/** Input files are litter after a few days; results must outlast a laptop closed over a holiday. */
const INPUT_FILE_SECONDS = 3 * 86_400;
const OUTPUT_FILE_SECONDS = 14 * 86_400;
const FILES_PER_PAGE = 1000;
export const BATCHES_PER_PAGE = 100;

/** Loads the SDK and binds it to one key and one base URL; nothing it reads from the environment can change either. */
export async function createProvider(options: ProviderOptions): Promise<Provider> {
  const { default: OpenAIClient } = await import('openai');
  let simulated = false;
  const client: OpenAI = new OpenAIClient({
    apiKey: options.apiKey,
    baseURL: options.baseUrl,
    maxRetries: 0,
    logLevel: 'off',
    organization: process.env.OPENAI_ORG_ID ?? null,
    project: process.env.OPENAI_PROJECT_ID ?? null,
    timeout: UPLOAD_TIMEOUT_MS,
    fetchOptions: { redirect: 'manual' },
    fetch: async (url, init) => {
      // OPENAI_CUSTOM_HEADERS may name another key; what the run says about its key has to stay true.
      const headers = new Headers(init?.headers);
      headers.set('authorization', `Bearer ${options.apiKey}`);
      const response = await fetch(url, { ...init, headers });
      simulated ||= response.headers.has('x-rowmill-simulator');
      return response.ok ? response : withoutSecret(response, options.apiKey);
    },
  });
  const callTimeoutMs = options.callTimeoutMs ?? CALL_TIMEOUT_MS;

  async function call<T>(signal: AbortSignal, timeoutMs: number, send: (signal: AbortSignal) => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    try {
      return await callWithin(timeoutMs, { signal, startTimer: options.startTimer }, send);
    } catch (error) {
      signal.throwIfAborted();
      throw classifyFailure(error, options.clock());
    }
  }

  const live = { timeoutMs: LIVE_TIMEOUT_MS, clock: options.clock, startTimer: options.startTimer };
  return {
    baseUrl: options.baseUrl,
    keyFingerprint: hash('sha256', `rowmill\n${options.apiKey}`).slice(0, 12),
    isSimulated: () => simulated,
    uploadFile: ({ path, filename, signal }) =>
      call(signal, UPLOAD_TIMEOUT_MS, async (deadline) => {
        const file = new File([await openAsBlob(path)], filename);
        const expires_after = { anchor: 'created_at' as const, seconds: INPUT_FILE_SECONDS };
        return readRemoteFile(await client.files.create({ file, purpose: 'batch', expires_after }, { signal: deadline }));
      }),
    listFiles: ({ after, signal }) =>
      call(signal, callTimeoutMs, async (deadline) => {
        const query = { purpose: 'batch', order: 'desc' as const, limit: FILES_PER_PAGE, ...(after === null ? {} : { after }) };
        return readPage(await client.get('/files', { query, signal: deadline })).map(readRemoteFile);
      }),
    retrieveFile: (id, signal) =>
      call(signal, callTimeoutMs, async (deadline) => readRemoteFile(await client.files.retrieve(id, { signal: deadline }))),
    openContent: (id, signal) =>
      call(signal, UPLOAD_TIMEOUT_MS, async (deadline) => {
        const response = await client.files.content(id, { signal: deadline });
        return response.body ?? new Blob([]).stream();
      }),
    deleteFile: (id, signal) =>
      call(signal, callTimeoutMs, async (deadline) => {
        await client.files.delete(id, { signal: deadline });
      }),
    createBatch: ({ inputFileId, endpoint, metadata, signal }) =>
      call(signal, callTimeoutMs, async (deadline) => {
        const body = {
          input_file_id: inputFileId,
          endpoint: endpoint as OpenAI.BatchCreateParams['endpoint'],
          completion_window: '24h',
          metadata: { ...metadata },
          output_expires_after: { anchor: 'created_at', seconds: OUTPUT_FILE_SECONDS },
        } satisfies OpenAI.BatchCreateParams;
        return readRemoteBatch(await client.batches.create(body, { signal: deadline }));
      }),
    retrieveBatch: (id, signal) =>
      call(signal, callTimeoutMs, async (deadline) => readRemoteBatch(await client.batches.retrieve(id, { signal: deadline }))),
    listBatches: ({ after, signal }) =>
      call(signal, callTimeoutMs, async (deadline) => {
        const query = { limit: BATCHES_PER_PAGE, ...(after === null ? {} : { after }) };
        return readBatchPage(await client.get('/batches', { query, signal: deadline }));
      }),
    cancelBatch: (id, signal) =>
      call(signal, callTimeoutMs, async (deadline) => readRemoteBatch(await client.batches.cancel(id, { signal: deadline }))),
    callEndpoint: (endpointCall) => callEndpoint(client, endpointCall, live),
    listModels: (signal) =>
      call(signal, callTimeoutMs, async (deadline) =>
        readPage(await client.get('/models', { signal: deadline })).flatMap((model) => {
          const { id } = model as { id?: unknown };
          return typeof id === 'string' ? [id] : [];
        }),
      ),
  };
}

/** What a provider or a proxy says of a call that failed is kept in files and shown; some quote the key they were given. */
async function withoutSecret(response: Response, apiKey: string): Promise<Response> {
  // A body that breaks off is judged by whoever reads it next.
  const text = await response
    .clone()
    .text()
    .catch(() => '');
  const hidden = hideSecret(text, apiKey);
  return hidden === text ? response : new Response(hidden, response);
}

const CALL_TIMEOUT_MS = 60_000;
/** Long answers take minutes; Node's fetch gives up by itself after 300 s without headers. */
const LIVE_TIMEOUT_MS = 290_000;
/** 200 MB over a slow line; the SDK's timeout ends at the response headers anyway. */
const UPLOAD_TIMEOUT_MS = 1_800_000;
