import { hash } from 'node:crypto';
import type { Readable } from 'node:stream';
import type OpenAI from 'openai';
import { DiskError } from '../core/disk/disk-error.ts';
import { callWithin, type StartTimer } from '../core/timer.ts';
import { callEndpoint, type EndpointCall, type EndpointResult } from './call-endpoint.ts';
import type { FailedCall } from './classify.ts';
import { deliverBody } from './deliver-body.ts';
import { learnFromRefusal } from './form-learning.ts';
import { type AddressForms, createAddressForms, type FormName } from './forms.ts';
import { findKnownProvider } from './known-providers.ts';
import { createLargeAnswers } from './large-answers.ts';
import { openClient, type PooledInit } from './open-client.ts';
import { readControlAnswer } from './read-bounded.ts';
import type { ProxySettings } from './transport/open-fetch.ts';
import { openStoredContent } from './transport/stored-content.ts';
import { openUploadBody } from './transport/upload-body.ts';
import {
  type RemoteBatch,
  type RemoteFile,
  type RemoteModel,
  readBatchPage,
  readCreatedBatch,
  readFilePage,
  readModelPage,
  readRemoteBatch,
  readRemoteFile,
  readRemoteModel,
} from './wire.ts';

/** The calls rowmill makes. Each is one HTTP request, never repeated here, and throws only ApiError (or the caller's abort). */
export interface Provider {
  /** The base URL. */
  readonly baseUrl: string;
  /** 12 hex digits that distinguish keys without revealing them. */
  readonly keyFingerprint: string;
  /** The proxy of the calls; null without one. */
  readonly proxy: ProxySettings | null;
  /** Sends a request like every other call, without a key. */
  readonly fetch: typeof fetch;
  /** What this address wants in another form, known in advance or learned. */
  readonly forms: AddressForms;
  /** A request's body in the forms of this address. */
  deliver(request: { readonly url: string; readonly body: string }): string;
  /** Whether a response had the simulator's header; null before the first response. */
  isSimulated(): boolean | null;
  uploadFile(options: { path: string; filename: string; signal: AbortSignal }): Promise<RemoteFile>;
  /** Files of purpose batch, newest first, one page. */
  listFiles(options: { after: string | null; signal: AbortSignal }): Promise<readonly RemoteFile[]>;
  retrieveFile(id: string, signal: AbortSignal): Promise<RemoteFile>;
  /** The raw body of a file, also if the response redirects to other storage; the caller guards against stalls. */
  openContent(id: string, signal: AbortSignal): Promise<Readable>;
  deleteFile(id: string, signal: AbortSignal): Promise<void>;
  createBatch(options: {
    inputFileId: string;
    endpoint: string;
    metadata: Readonly<Record<string, string>>;
    signal: AbortSignal;
  }): Promise<RemoteBatch>;
  retrieveBatch(id: string, signal: AbortSignal): Promise<RemoteBatch>;
  /** One page of at most 100 batches; the API has no filter and no order (openai-contract section 3). */
  listBatches(options: { after: string | null; signal: AbortSignal }): Promise<readonly RemoteBatch[]>;
  cancelBatch(id: string, signal: AbortSignal): Promise<RemoteBatch>;
  listModels(signal: AbortSignal): Promise<readonly RemoteModel[]>;
  /** Null if the response is not a model. */
  retrieveModel(id: string, signal: AbortSignal): Promise<RemoteModel | null>;
  /** Makes one live call. A failure is data; throws only the signal's reason. */
  callEndpoint(call: EndpointCall): Promise<EndpointResult>;
}

export interface ProviderOptions {
  readonly apiKey: string;
  /** Where the key came from, in words: for a refusal. */
  readonly keySource?: string;
  readonly baseUrl: string;
  readonly clock: () => Date;
  readonly startTimer: StartTimer;
  /** Deadline of one call over headers and body, except uploads and downloads. */
  readonly callTimeoutMs?: number;
  /** Called just before a download, or anything but a read, leaves; throws if it must not. */
  readonly assertMaySpend?: () => void;
  /** Whether this very process runs the server: calls to it take a way that costs less to begin with. */
  readonly isOwnServer?: boolean;
}

interface PostOptions {
  readonly pooled?: Partial<PooledInit>;
  readonly headers?: Readonly<Record<string, string>>;
}

/** 14 days: the shortest time Azure accepts (openai-contract section 21, seen 2026-11-29), and a holiday with the laptop closed. */
const FILE_SECONDS = 1_209_600;
const FILES_PER_PAGE = 1000;
export const BATCHES_PER_PAGE = 100;

/** Binds the SDK to one key and one base URL. @throws UsageError for an invalid proxy in the environment */
export async function createProvider(options: ProviderOptions): Promise<Provider> {
  const { apiKey, baseUrl, clock, startTimer } = options;
  const known = findKnownProvider(baseUrl);
  const forms = createAddressForms(known.forms, new URL(baseUrl).host);
  const client = await openClient({
    apiKey,
    ...(options.keySource === undefined ? {} : { keySource: options.keySource }),
    baseUrl,
    timeoutMs: UPLOAD_TIMEOUT_MS,
    quotaMayBeRate: known.quotaMayBeRate,
    isOwnServer: options.isOwnServer ?? false,
    assertMaySpend: options.assertMaySpend ?? (() => {}),
  });
  const { sdk } = client;
  const callTimeoutMs = options.callTimeoutMs ?? CALL_TIMEOUT_MS;

  async function call<T>(
    { signal, type = 'read', timeoutMs = callTimeoutMs }: { signal: AbortSignal; type?: FailedCall['type']; timeoutMs?: number },
    send: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    signal.throwIfAborted();
    try {
      return await callWithin(timeoutMs, { signal, startTimer }, send);
    } catch (error) {
      signal.throwIfAborted();
      // What could not be read here was not lost there.
      const ours = findDiskError(error);
      if (ours !== null) throw ours;
      throw client.classify(error, type, clock());
    }
  }

  // We read the responses: the SDK accepts any number of bytes.
  const get = async (path: string, signal: AbortSignal, query: object = {}) =>
    readControlAnswer((await sdk.get(path, { query, signal, __binaryResponse: true })) as Response);
  const post = async (path: string, body: unknown, signal: AbortSignal, { pooled = {}, headers = {} }: PostOptions = {}) =>
    readControlAnswer(
      (await sdk.post(path, { body, headers, signal, __binaryResponse: true, fetchOptions: pooled as object })) as Response,
    );
  const inPath = encodeURIComponent;

  /** A call with something that this address may want in another form. */
  async function callInForm<T>(names: readonly FormName[], send: () => Promise<T>): Promise<T> {
    const sent = forms.now;
    try {
      const result = await send();
      for (const name of names) forms.confirm(name);
      return result;
    } catch (error) {
      throw learnFromRefusal(error, forms, names, sent) ?? error;
    }
  }

  const live = { client, forms, largeAnswers: createLargeAnswers(), timeoutMs: LIVE_TIMEOUT_MS, clock, startTimer };
  return {
    baseUrl,
    keyFingerprint: hash('sha256', `rowmill\n${apiKey}`).slice(0, 12),
    proxy: client.proxy,
    fetch: client.fetch,
    forms,
    deliver: ({ url, body }) => deliverBody(url, body, forms.now),
    isSimulated: client.isSimulated,
    uploadFile: ({ path, filename, signal }) =>
      callInForm(['purpose', 'expiry'], () =>
        call({ signal, type: 'effect', timeoutMs: UPLOAD_TIMEOUT_MS }, async (deadline) => {
          const { pieces, headers } = openUploadBody(
            { path, filename },
            {
              purpose: forms.now.purpose,
              ...(forms.now.expiry === 'sent'
                ? { 'expires_after[anchor]': 'created_at', 'expires_after[seconds]': String(FILE_SECONDS) }
                : {}),
              // Together wants the name separate from the file.
              ...(known.uploadPath === '/files' ? {} : { file_name: filename }),
            },
          );
          const pooled = { patienceMs: UPLOAD_TIMEOUT_MS, body: pieces };
          return readRemoteFile(await post(known.uploadPath, undefined, deadline, { pooled, headers }));
        }),
      ),
    listFiles: ({ after, signal }) =>
      call({ signal }, async (deadline) => {
        const paging = { order: 'desc' as const, limit: FILES_PER_PAGE, ...(after === null ? {} : { after }) };
        return readFilePage(await get('/files', deadline, { purpose: forms.now.purpose, ...paging }));
      }),
    retrieveFile: (id, signal) => call({ signal }, async (deadline) => readRemoteFile(await get(`/files/${inPath(id)}`, deadline))),
    openContent: (id, signal) =>
      call({ signal, timeoutMs: UPLOAD_TIMEOUT_MS }, (deadline) =>
        openStoredContent((inner) => sdk.files.content(id, { signal: inner, fetchOptions: { patienceMs: UPLOAD_TIMEOUT_MS } as object }), {
          signal: deadline,
          proxyFetch: client.proxy === null ? null : client.fetch,
        }),
      ),
    deleteFile: (id, signal) =>
      call({ signal, type: 'effect' }, async (deadline) => {
        await readControlAnswer((await sdk.delete(`/files/${inPath(id)}`, { signal: deadline, __binaryResponse: true })) as Response);
      }),
    createBatch: ({ inputFileId, endpoint, metadata, signal }) =>
      callInForm(['metadata', 'expiry'], () =>
        call({ signal, type: 'effect' }, async (deadline) => {
          const body = {
            input_file_id: inputFileId,
            endpoint: endpoint as OpenAI.BatchCreateParams['endpoint'],
            completion_window: '24h',
            ...(forms.now.metadata === 'sent' ? { metadata: { ...metadata } } : {}),
            ...(forms.now.expiry === 'sent' ? { output_expires_after: { anchor: 'created_at' as const, seconds: FILE_SECONDS } } : {}),
          } satisfies OpenAI.BatchCreateParams;
          // Of these calls the one that spends: it is fenced up to the last moment, like live calls.
          return readCreatedBatch(await post('/batches', body, deadline, { pooled: { patienceMs: callTimeoutMs } }));
        }),
      ),
    retrieveBatch: (id, signal) => call({ signal }, async (deadline) => readRemoteBatch(await get(`/batches/${inPath(id)}`, deadline))),
    listBatches: ({ after, signal }) =>
      call({ signal }, async (deadline) => {
        const query = { limit: BATCHES_PER_PAGE, ...(after === null ? {} : { after }) };
        return readBatchPage(await get('/batches', deadline, query));
      }),
    cancelBatch: (id, signal) =>
      call({ signal, type: 'effect' }, async (deadline) =>
        readRemoteBatch(await post(`/batches/${inPath(id)}/cancel`, undefined, deadline)),
      ),
    callEndpoint: (endpointCall) => callEndpoint(live, endpointCall),
    listModels: (signal) => call({ signal }, async (deadline) => readModelPage(await get('/models', deadline))),
    retrieveModel: (id, signal) => call({ signal }, async (deadline) => readRemoteModel(await get(`/models/${inPath(id)}`, deadline))),
  };
}

function findDiskError(error: unknown): DiskError | null {
  for (let current = error, depth = 0; current instanceof Error && depth < 5; current = current.cause, depth += 1)
    if (current instanceof DiskError) return current;
  return null;
}

const CALL_TIMEOUT_MS = 60_000;
/** Long answers take minutes; Node's fetch gives up after 300 s without headers. */
const LIVE_TIMEOUT_MS = 290_000;
/** 200 MB over a slow line; the SDK's timeout ends at the response headers anyway. */
const UPLOAD_TIMEOUT_MS = 1_800_000;
