import type { Job, OutputSpec } from '../../core/job.ts';
import type { RenderFilePart, RenderImagePart } from './compile-images.ts';
import { findCapName, readExtra } from './extra-params.ts';
import { addWireParams } from './params.ts';

/** The parts of a body around the prompt, the same for all rows of a job; its bytes are a contract, because keys are derived from them. */
export interface BodyForm {
  /** Up to the value that holds the prompt. */
  readonly head: string;
  /** From after that value to the end of the body. */
  readonly tail: string;
  /** Whether the prompt is a list of messages, or one text. */
  readonly hasMessages: boolean;
  /** The type of a text part next to images. */
  readonly textPart: string;
  readonly renderImagePart: RenderImagePart;
  readonly renderFilePart: RenderFilePart;
}

/** The name under which every schema is sent; fixed, because it is part of the body and so of the key. */
const SCHEMA_NAME = 'answer';

/** Requests from POST /v1/responses what `logprobs: true` requests from a chat completion. */
const LOGPROBS_OF_RESPONSES = 'message.output_text.logprobs';

/** The form of a body for the job's endpoint (OpenAI's API description, seen 2026-11-21). */
export function makeBodyForm(job: Job): BodyForm {
  const body: Record<string, unknown> = {};
  switch (job.endpoint) {
    case '/v1/chat/completions':
      addChatFormat(body, job.output);
      addWireParams(body, job.endpoint, readParams(job));
      if (job.votes > 1) body.n = job.votes;
      Object.assign(body, readExtra(job.params));
      return { ...makeEnds(job, 'messages', body), hasMessages: true, textPart: 'text', ...CHAT_PARTS };
    case '/v1/responses':
      addResponsesFormat(body, job.output);
      addWireParams(body, job.endpoint, readParams(job));
      if (Object.hasOwn(body, 'logprobs')) {
        if (body.logprobs === true) body.include = [LOGPROBS_OF_RESPONSES];
        delete body.logprobs;
      }
      // Without this the provider stores prompt and answer for 30 days.
      body.store = false;
      Object.assign(body, readExtra(job.params));
      return { ...makeEnds(job, 'input', body), hasMessages: true, textPart: 'input_text', ...RESPONSES_PARTS };
    case '/v1/embeddings':
      addWireParams(body, job.endpoint, job.params);
      Object.assign(body, readExtra(job.params));
      return { ...makeEnds(job, 'input', body), hasMessages: false, textPart: 'text', ...CHAT_PARTS };
    default:
      return job.endpoint satisfies never;
  }
}

const CHAT_PARTS = { renderImagePart: renderChatImage, renderFilePart: renderChatFile };
const RESPONSES_PARTS = { renderImagePart: renderResponsesImage, renderFilePart: renderResponsesFile };

/** The job's parameters, plus those its other settings need. A cap named in `params.extra` is sent only under that name. */
function readParams({ params, confidence }: Job): Readonly<Record<string, unknown>> {
  const { max_output_tokens: _cap, ...uncapped } = params;
  const sent = findCapName(params) === null ? params : uncapped;
  return confidence === 'logprobs' ? { ...sent, logprobs: true } : sent;
}

function makeEnds({ model }: Job, promptKey: string, rest: object): Pick<BodyForm, 'head' | 'tail'> {
  const tail = JSON.stringify(rest).slice(1);
  return { head: `{"model":${JSON.stringify(model)},"${promptKey}":`, tail: tail === '}' ? tail : `,${tail}` };
}

function addChatFormat(body: Record<string, unknown>, output: OutputSpec): void {
  if (output.type === 'text') return;
  body.response_format =
    output.format === 'json_object'
      ? { type: 'json_object' }
      : { type: 'json_schema', json_schema: { name: SCHEMA_NAME, strict: true, schema: output.schema } };
}

function addResponsesFormat(body: Record<string, unknown>, output: OutputSpec): void {
  if (output.type === 'text') return;
  const format =
    output.format === 'json_object'
      ? { type: 'json_object' }
      : { type: 'json_schema', name: SCHEMA_NAME, strict: true, schema: output.schema };
  body.text = { format };
}

function renderChatImage(url: string, detail: string | null): string {
  const how = detail === null ? '' : `,"detail":${JSON.stringify(detail)}`;
  return `{"type":"image_url","image_url":{"url":${JSON.stringify(url)}${how}}}`;
}

/** Here `detail` is required. */
function renderResponsesImage(url: string, detail: string | null): string {
  return `{"type":"input_image","image_url":${JSON.stringify(url)},"detail":${JSON.stringify(detail ?? 'auto')}}`;
}

/** Long values come first, so that what precedes them identifies them. */
function renderChatFile(dataUrl: string, name: string): string {
  return `{"type":"file","file":{"file_data":"${dataUrl}","filename":${JSON.stringify(name)}}}`;
}

function renderResponsesFile(dataUrl: string, name: string): string {
  return `{"type":"input_file","file_data":"${dataUrl}","filename":${JSON.stringify(name)}}`;
}
