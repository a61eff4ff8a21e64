import { readFileSync } from 'node:fs';
import * as http from 'node:http';
import * as net from 'node:net';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { projectRoot } from './project-root.ts';
import type { ProviderProfile, Reply } from './provider-profiles.ts';

// biome-ignore lint/suspicious/noExplicitAny: bodies as the wire carries them.
type Body = any;

/** A provider that speaks as its published documents and public bug reports say. */
export interface ProviderStub {
  /** On this machine. */
  readonly baseUrl: string;
  /** A proxy that leads every host name to this stub: with it the hosted address itself can be used. */
  readonly proxyUrl: string;
  /** Requests as `POST /chat/completions`, in order. */
  readonly requests: string[];
  /** Bodies of calls and of batch lines that were answered. */
  readonly answered: Body[];
  /** What was refused, as a 4xx. */
  readonly refusals: Reply[];
}

export interface StubOptions {
  /** Answers in place of the profile's, while it gives one: what a public thread has seen. */
  readonly intercept?: (method: string, path: string, body: string) => Reply | null;
  /** Tokens that an answer without an effective cap has. */
  readonly longAnswerTokens?: number;
}

const ANSWER = JSON.stringify({ label: 'good', summary: 'all is well' });
const ANSWER_TOKENS = 12;

export async function startProviderStub(t: TestContext, profile: ProviderProfile, options: StubOptions = {}): Promise<ProviderStub> {
  const requests: string[] = [];
  const answered: Body[] = [];
  const refusals: Reply[] = [];
  const files = new Map<string, { readonly wire: Body; readonly text: string; looks: number }>();
  const batches = new Map<string, Body>();

  function respond(method: string, path: string, raw: Buffer, contentType: string): Reply {
    requests.push(`${method} ${path}`);
    const intercepted = options.intercept?.(method, path, raw.toString()) ?? null;
    if (intercepted !== null) return intercepted;
    if (method === 'POST' && path === '/chat/completions') return complete(JSON.parse(raw.toString()));
    if (method === 'GET' && path === '/models') return { status: 200, body: { object: 'list', data: [] } };
    const { batch } = profile;
    if (batch !== null) {
      if (method === 'POST' && batch.uploadPaths.includes(path)) return upload(raw, contentType);
      if (path === '/batches') return method === 'POST' ? create(JSON.parse(raw.toString())) : list();
      const [, kind, id = '', content] = /^\/(files|batches)\/([^/]+)(\/content)?$/.exec(path) ?? [];
      if (kind === 'files' && content !== undefined)
        return { status: 200, text: files.get(id)?.text ?? '', headers: { 'content-type': 'application/octet-stream' } };
      if (kind === 'files') return showFile(id);
      if (kind === 'batches') return { status: 200, body: shapeBatch(batches.get(id)) };
    }
    return profile.noRoute(method, `${profile.basePath}${path}`);
  }

  function complete(body: Body): Reply {
    const refused = ['max_completion_tokens', 'max_tokens'].find((name) => name in body && !(profile.caps as string[]).includes(name));
    const refusal =
      (refused === undefined ? null : profile.refuseCap?.(refused as 'max_tokens', body[refused])) ?? profile.refuse?.(body) ?? null;
    if (refusal !== null) return refusal;
    answered.push(body);
    return { status: 200, body: makeAnswer(body) };
  }

  function makeAnswer(body: Body): Body {
    const cap = profile.caps.map((name) => body[name]).find((value) => value !== undefined);
    const tokens = cap === undefined ? (options.longAnswerTokens ?? ANSWER_TOKENS) : Math.min(cap, ANSWER_TOKENS);
    const answer = {
      ...{ id: 'chatcmpl-1', object: 'chat.completion', created: 1_795_219_200, model: body.model, service_tier: 'default' },
      choices: [{ index: 0, message: { role: 'assistant', content: ANSWER, refusal: null }, logprobs: null, finish_reason: 'stop' }],
      usage: { prompt_tokens: 20, completion_tokens: tokens, total_tokens: 20 + tokens, prompt_tokens_details: { cached_tokens: 0 } },
    };
    return profile.shapeAnswer?.(answer) ?? answer;
  }

  function upload(raw: Buffer, contentType: string): Reply {
    const boundary = /boundary=([^;]+)/.exec(contentType)?.[1] as string;
    const parts = new Map<string, string>();
    for (const part of raw.toString().split(`--${boundary}`)) {
      const [, name] = /name="([^"]+)"/.exec(part) ?? [];
      if (name !== undefined) parts.set(name, part.slice(part.indexOf('\r\n\r\n') + 4, -2));
    }
    const { purpose, expiry, shapeFile } = profile.batch as NonNullable<ProviderProfile['batch']>;
    if (parts.get('purpose') !== purpose) return readShape('upload-purpose-unknown');
    const seconds = Number(parts.get('expires_after[seconds]'));
    if (expiry !== null && parts.has('expires_after[seconds]') && (seconds < expiry[0] || seconds > expiry[1]))
      return readShape('upload-expiry-out-of-range');
    if (expiry === null && parts.has('expires_after[seconds]')) return badRequest('Unknown parameter: expires_after');
    const text = parts.get('file') ?? '';
    const created = {
      id: `file-${files.size + 1}`,
      object: 'file',
      bytes: Buffer.byteLength(text),
      created_at: nowSeconds(),
      filename: 'rows.jsonl',
      purpose,
    };
    const wire = shapeFile?.(created) ?? created;
    files.set(wire.id, { wire, text, looks: 0 });
    return showFile(wire.id);
  }

  function showFile(id: string): Reply {
    const file = files.get(id);
    const statuses = profile.batch?.fileStatuses ?? [];
    if (file === undefined)
      return {
        status: 404,
        body: { error: { message: `No such File object: ${id}`, type: 'invalid_request_error', param: 'id', code: null } },
      };
    const status = statuses[Math.min(file.looks, statuses.length - 1)];
    file.looks += 1;
    return { status: 200, body: { ...file.wire, ...(status === undefined ? {} : { status }) } };
  }

  function create({ input_file_id, endpoint, metadata }: Body): Reply {
    const { batch, name } = profile;
    const input = files.get(input_file_id);
    if (input === undefined) return badRequest(`Cannot find file ${input_file_id}`);
    if (metadata !== undefined && name === 'Together') return badRequest('Unknown parameter: metadata');
    const lines = input.text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const results = lines.map(({ custom_id, body }) => {
      const { status, body: answer } = complete(body);
      return JSON.stringify({
        id: `r-${custom_id}`,
        custom_id,
        response: { status_code: status, request_id: '', body: answer },
        error: null,
      });
    });
    const id = `batch_${batches.size + 1}`;
    const outputId = `file-output-${id}`;
    const output = `${results.join('\n')}\n`;
    files.set(outputId, {
      wire: {
        id: outputId,
        object: 'file',
        bytes: Buffer.byteLength(output),
        created_at: nowSeconds(),
        filename: 'output.jsonl',
        purpose: 'batch_output',
      },
      text: output,
      looks: 9,
    });
    files.set('file-empty', {
      wire: { id: 'file-empty', object: 'file', bytes: 0, created_at: nowSeconds(), filename: 'error.jsonl', purpose: 'batch_output' },
      text: '',
      looks: 9,
    });
    const counts = { total: lines.length, completed: lines.length, failed: 0 };
    const created = {
      id,
      object: 'batch',
      endpoint,
      input_file_id,
      completion_window: '24h',
      status: 'validating',
      output_file_id: null,
      error_file_id: null,
      created_at: nowSeconds(),
      metadata: metadata ?? null,
      request_counts: counts,
      errors: null,
    };
    const answer = shapeBatch(created);
    batches.set(id, { ...created, status: 'completed', output_file_id: outputId });
    return { status: 200, body: batch?.wrapCreated?.(answer) ?? answer };
  }

  const shapeBatch = (batch: Body) => profile.batch?.shapeBatch?.(batch) ?? batch;

  function list(): Reply {
    const page = [...batches.values()].map(shapeBatch);
    return { status: 200, body: profile.batch?.wrapList?.(page) ?? { object: 'list', data: page, has_more: false } };
  }

  const server = http.createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { method = 'GET', url = '/' } = request;
    const [path = ''] = url.split('?');
    const isOurs = path.startsWith(`${profile.basePath}/`);
    const reply = isOurs
      ? respond(method, path.slice(profile.basePath.length), Buffer.concat(chunks), request.headers['content-type'] ?? '')
      : profile.noRoute(method, path);
    if (reply.status >= 400) refusals.push(reply);
    response.writeHead(reply.status, { 'content-type': 'application/json', ...reply.headers });
    response.end(reply.text ?? JSON.stringify(reply.body));
  });
  // As a proxy it leads every name here.
  server.on('connect', (_request, socket: net.Socket, head: Buffer) => {
    const through = net.connect(portOf(server), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      through.write(head);
      through.pipe(socket).pipe(through);
    });
    for (const end of [socket, through]) end.on('error', () => {});
    socket.on('close', () => through.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  const origin = `http://127.0.0.1:${portOf(server)}`;
  return { baseUrl: `${origin}${profile.basePath}`, proxyUrl: origin, requests, answered, refusals };
}

function badRequest(message: string): Reply {
  return { status: 400, body: { error: { message, type: 'invalid_request_error', param: null, code: null } } };
}

/** A shape of fixtures/world by its name. */
export function readShape(name: string): Body {
  const found = readShapes().find((shape) => shape.name === name);
  if (found === undefined) throw new Error(`fixtures/world has no shape ${name}`);
  return found;
}

let shapes: readonly Body[] | null = null;

/** All shapes of fixtures/world that are answers to requests. */
export function readShapes(): readonly Body[] {
  shapes ??= ['batch-lists', 'downloads', 'errors', 'rate-limits', 'servers'].flatMap((topic) =>
    JSON.parse(readFileSync(join(projectRoot, 'fixtures', 'world', `${topic}.json`), 'utf8')),
  );
  return shapes;
}

const nowSeconds = () => Math.floor(Date.now() / 1000);
const portOf = (server: http.Server) => (server.address() as net.AddressInfo).port;
