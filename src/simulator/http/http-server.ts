import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { distortList } from '../batches/list-faults.ts';
import type { RequestAction } from '../faults/fault-plan.ts';
import { hashDigits } from '../hash.ts';
import type { WireAnswer, WireRequest } from '../http-types.ts';
import type { Simulation } from '../simulation.ts';
import type { Trace } from '../trace.ts';
import { WireError } from '../wire-error.ts';
import { sendAnswer } from './http-answer.ts';
import { readCustomId } from './live-calls.ts';
import { findRoute, type Route } from './routes.ts';
import { addShutdownDates } from './shutdown-dates.ts';
import { makeWorldAnswer } from './world-answer.ts';

const IDLE_CONNECTION_MS = 120_000;
/** The longest time for one request; the largest upload takes seconds. */
const REQUEST_MS = 600_000;

/** One request, and what is done to it. */
interface Exchange {
  readonly request: WireRequest;
  readonly route: Route | undefined;
  readonly faults: readonly { readonly name: string; readonly action: RequestAction }[];
}

/** Creates the HTTP server: routing, keys, transmission faults, headers on every response. Not listening yet. */
export function createHttpServer(simulation: Simulation, trace: Trace): Server {
  let requests = 0;
  const server = createServer((message, response) => {
    requests += 1;
    response.setHeader('x-request-id', `req_${hashDigits(simulation.store.identity, 'request', requests, simulation.clock.now())}`);
    response.setHeader('x-rowmill-simulator', '1');
    response.setHeader('openai-version', '2020-10-01');
    const exchange = openExchange(simulation, message);
    handle(simulation, exchange, response)
      .catch(async (error: unknown) => {
        // The client disconnected during its upload, or the simulator is closing.
        if (simulation.signal.aborted || (message.destroyed && !message.complete) || message.errored !== null)
          return void response.destroy();
        await answerBug(response, error);
      })
      .finally(() => {
        const { request, route, faults } = exchange;
        const status = response.headersSent ? response.statusCode : 0;
        const line = { at: new Date(simulation.clock.now()).toISOString(), method: request.method, path: request.path, status };
        trace.add({ ...line, faults: faults.map(({ name }) => name) }, `${request.method} ${route?.path ?? request.path}`);
      });
  });
  // A client that reuses an idle connection just as it is closed sees a reset: long idle times keep that out of the tests.
  server.keepAliveTimeout = IDLE_CONNECTION_MS;
  server.requestTimeout = REQUEST_MS;
  return server;
}

function openExchange(simulation: Simulation, message: IncomingMessage): Exchange {
  const url = readUrl(message.url ?? '/');
  const method = message.method ?? 'GET';
  const found = findRoute(method, url.pathname);
  const request: WireRequest = {
    method,
    path: url.pathname,
    id: found?.id ?? '',
    query: url.searchParams,
    headers: message.headers,
    stream: message,
  };
  const faults = simulation.faults.requestFaults({
    method,
    path: url.pathname,
    customId: readCustomId(request) ?? undefined,
    status: simulation.store.batches.get(request.id)?.wire.status,
    file: found?.route.path === '/v1/files/:id/content' ? kindOfFile(simulation, request.id) : undefined,
  });
  return { request, route: found?.route, faults };
}

/** `GET //` and similar are not URLs; they name no endpoint either. */
function readUrl(target: string): URL {
  return URL.canParse(target, 'http://simulator') ? new URL(target, 'http://simulator') : new URL('http://simulator/');
}

/** A request that makes the simulator fail must not end it: others use it too. */
async function answerBug(response: ServerResponse, error: unknown): Promise<void> {
  if (response.headersSent) return void response.destroy();
  const { status, headers, body } = new WireError(500, {
    message: `The simulator had an error: ${error instanceof Error ? error.message : String(error)}`,
  });
  await sendAnswer(response, { type: 'json', status, headers, body }, { fault: undefined, signal: new AbortController().signal });
}

function kindOfFile({ store }: Simulation, id: string): string | undefined {
  const file = store.files.get(id)?.wire;
  if (file === undefined) return undefined;
  return file.purpose !== 'batch_output' ? 'input' : file.filename.endsWith('_error.jsonl') ? 'error' : 'output';
}

/** Answers one request, or applies the faults to it. */
async function handle(simulation: Simulation, { request, route, faults }: Exchange, response: ServerResponse): Promise<void> {
  const { clock, signal } = simulation;
  const delayMs = faults.reduce((sum, { action }) => sum + (action.type === 'delay' ? action.delayMs : 0), 0);
  if (delayMs > 0) await clock.track(() => clock.waitUntil(clock.now() + delayMs));
  const action = faults.find((fault) => fault.action.type !== 'delay')?.action;
  const isProcessed =
    action === undefined || action.type === 'cut' || action.type === 'drip' || ('isProcessed' in action && action.isProcessed);
  const answer = isProcessed ? await makeAnswer(simulation, request, route) : undefined;
  if (answer === undefined) request.stream.resume();
  if (response.destroyed) return;
  switch (action?.type) {
    case 'drop':
      response.socket?.resetAndDestroy();
      return;
    case 'hang':
      return;
    case 'redirect':
      return sendAnswer(
        response,
        { type: 'json', status: action.status, headers: { location: action.to }, body: '' },
        { fault: undefined, signal },
      );
    case 'status': {
      const { status, headers, body } = action;
      return sendAnswer(response, { type: 'json', status, headers, body }, { fault: undefined, signal });
    }
    case 'list': {
      const page = await distortList(action.kind, request.query, (query) => makeAnswer(simulation, { ...request, query }, route));
      return sendAnswer(response, page, { fault: undefined, signal });
    }
    case 'shutdownDates':
      if (answer !== undefined) await sendAnswer(response, addShutdownDates(answer, action.dates), { fault: undefined, signal });
      return;
    case 'world':
      return sendAnswer(response, makeWorldAnswer(action, answer), { fault: undefined, signal });
    default:
      if (answer !== undefined)
        await sendAnswer(response, answer, { fault: action?.type === 'cut' || action?.type === 'drip' ? action : undefined, signal });
      if (!request.stream.readableEnded) request.stream.resume();
  }
}

/** The response of the API: that of the endpoint, or the error it throws. */
async function makeAnswer(simulation: Simulation, request: WireRequest, route: Route | undefined): Promise<WireAnswer> {
  try {
    checkKey(request);
    if (route !== undefined) return await route.answer(simulation, request);
    throw new WireError(404, { message: `Invalid URL (${request.method} ${request.path})` });
  } catch (error) {
    if (error instanceof WireError) return { type: 'json', status: error.status, headers: error.headers, body: error.body };
    throw error;
  }
}

/** Any bearer key is accepted; without one the response is the API's 401. */
function checkKey({ headers }: WireRequest): void {
  if (/^Bearer \S+/.test(headers.authorization ?? '')) return;
  const message =
    "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY).";
  throw new WireError(401, { message });
}
