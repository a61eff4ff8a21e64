import type { SimulatorOptions } from '../../src/simulator/options.ts';
import { type Simulator, startSimulator } from '../../src/simulator/start.ts';

/** An answer as a plain HTTP client sees it. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever shape the wire has.
  readonly json: any;
}

/** One simulator on virtual time, and what a test does with it over the wire. */
export interface SimulatorApi {
  readonly simulator: Simulator;
  request(method: string, path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<RawAnswer>;
  /** Uploads a batch input and returns its answer. */
  upload(content: string, fields?: Readonly<Record<string, string>>, filename?: string): Promise<RawAnswer>;
  /** Uploads lines, creates a batch over them and returns its id. */
  submit(lines: readonly unknown[], fields?: Readonly<Record<string, unknown>>): Promise<string>;
  /** Lets a minute pass and returns the batch. */
  finish(batchId: string): Promise<RawAnswer['json']>;
  /** The parsed lines of a file. */
  readLines(fileId: string): Promise<RawAnswer['json'][]>;
}

/** Runs a test against its own simulator and closes it afterwards. */
export async function withSimulator(options: SimulatorOptions, test: (api: SimulatorApi) => Promise<void>): Promise<void> {
  const simulator = await startSimulator({ answers: 'plain', virtualTime: true, now: () => 1_800_000_000_000, ...options });
  try {
    await test(createApi(simulator));
  } finally {
    await simulator.close();
  }
}

/** A chat line of a batch input file. */
export function chatLine(customId: string, body: Readonly<Record<string, unknown>> = {}) {
  const messages = [{ role: 'user', content: `Row ${customId}` }];
  return { custom_id: customId, method: 'POST', url: '/v1/chat/completions', body: { model: 'gpt-4o-mini', messages, ...body } };
}

/** So many chat lines, `row-1` first. */
export function chatLines(count: number) {
  return Array.from({ length: count }, (_, index) => chatLine(`row-${index + 1}`));
}

export function createApi(simulator: Simulator): SimulatorApi {
  const key = { authorization: 'Bearer any-key' };

  async function send(path: string, init: RequestInit): Promise<RawAnswer> {
    const response = await fetch(`${simulator.url}${path}`, { redirect: 'manual', ...init });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, json: parse(text) };
  }

  const api: SimulatorApi = {
    simulator,
    request: (method, path, body, headers = {}) =>
      send(path, {
        method,
        headers: { ...key, 'content-type': 'application/json', ...headers },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      }),
    upload(content, fields = { purpose: 'batch' }, filename = 'input.jsonl') {
      const form = new FormData();
      for (const [name, value] of Object.entries(fields)) form.append(name, value);
      form.append('file', new File([content], filename));
      return send('/files', { method: 'POST', headers: key, body: form });
    },
    async submit(lines, fields = {}) {
      const file = await api.upload(lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n'));
      const batch = await api.request('POST', '/batches', {
        input_file_id: file.json.id,
        endpoint: '/v1/chat/completions',
        completion_window: '24h',
        ...fields,
      });
      return batch.json.id;
    },
    async finish(batchId) {
      await simulator.advance(60_000);
      return (await api.request('GET', `/batches/${batchId}`)).json;
    },
    async readLines(fileId) {
      const content = await api.request('GET', `/files/${fileId}/content`);
      return content.text.trimEnd().split('\n').map(parse);
    },
  };
  return api;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
