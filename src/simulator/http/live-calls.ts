import { answerRequest } from '../answers/answer.ts';
import type { Answer } from '../answers/answer-types.ts';
import { nameContent } from '../answers/content.ts';
import { readPrompt, type WireBody } from '../answers/prompt.ts';
import { type AnsweringEndpoint, checkRequest, refuseCacheOptions } from '../answers/request-rules.ts';
import { countPromptTokens } from '../answers/usage.ts';
import { hashDigits, sha256 } from '../hash.ts';
import { answerJson, type WireAnswer, type WireRequest } from '../http-types.ts';
import { readJsonBody } from '../request-body.ts';
import { nowSeconds, type Simulation } from '../simulation.ts';

/** The header in which a live call names its row; it is recorded in the bill. */
export const CUSTOM_ID_HEADER = 'x-client-request-id';

/** One live call: admitted by the limits, answered after the latency, and on the bill before the client can see the response. */
export async function answerLive(simulation: Simulation, request: WireRequest): Promise<WireAnswer> {
  const { clock, rateLimiter, bill, seed, faults } = simulation;
  const endpoint = request.path as AnsweringEndpoint;
  const { bytes, body } = await readJsonBody(request.stream);
  const bodySha256 = sha256(bytes);
  const customId = readCustomId(request);
  const content = nameContent(body, bodySha256);
  // The same request gets the same ids, so that the tables of two runs can be compared.
  const idDigits = hashDigits(seed, customId ?? '', content);
  const { id: model } = checkRequest(endpoint, body);
  if (simulation.cacheOptions === 'refused') refuseCacheOptions(body);
  const arrivedAtMs = clock.now();
  const headers = rateLimiter.admit({ model, promptTokens: countPromptTokens(readPrompt(body)), capTokens: readCap(body) });
  const latencyMs = simulation.drawLatencyMs();
  if (latencyMs > 0) await clock.track(() => clock.waitUntil(clock.now() + latencyMs));
  const answer: Answer = answerRequest(endpoint, body, {
    drawSeed: `${seed}/${content}`,
    manner: simulation.manner,
    occasion: String(simulation.countAsked(bodySha256)),
    idDigits,
    createdAtSeconds: nowSeconds(clock),
    fault: faults.hasRowFaults ? faults.answerFault({ customId: customId ?? undefined, model, lane: 'live' }) : undefined,
    useCache: () => simulation.promptCache.use({ body, arrivedAtMs, nowMs: clock.now(), keeps: true }),
  });
  rateLimiter.settle(model, readCompletionTokens(answer.usage));
  const at = new Date(clock.now()).toISOString();
  if (answer.isFree !== true) {
    const { model: billedModel, serviceTier: tier, usage } = answer;
    bill.append([{ at, lane: 'live', batchId: null, customId, bodySha256, model: billedModel, tier, usage }]);
  }
  return answerJson(answer.body, {
    ...headers,
    'x-request-id': `req_${idDigits}`,
    'openai-processing-ms': String(latencyMs),
  });
}

/** The custom_id of a live call, from its header; null without one. */
export function readCustomId({ headers }: Pick<WireRequest, 'headers'>): string | null {
  const value = headers[CUSTOM_ID_HEADER];
  return typeof value === 'string' ? value : null;
}

function readCap(body: WireBody): number | undefined {
  const cap = body.max_completion_tokens ?? body.max_tokens ?? body.max_output_tokens;
  return typeof cap === 'number' ? cap * (typeof body.n === 'number' ? body.n : 1) : undefined;
}

function readCompletionTokens(usage: Answer['usage']): number {
  const tokens = usage.completion_tokens ?? usage.output_tokens ?? 0;
  return typeof tokens === 'number' ? tokens : 0;
}
