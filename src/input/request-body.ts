import type { Job, OutputSpec } from '../core/job.ts';
import { showCell } from './cell-text.ts';
import { type CompiledImage, compileImageParts } from './compile-images.ts';
import { makeWireParams } from './params.ts';
import type { CompiledTemplate } from './template.ts';

/** The name under which every schema is sent; fixed, because it is part of the body and so of the key. */
const SCHEMA_NAME = 'answer';

/** A message whose template has been compiled. */
export interface CompiledMessage {
  readonly role: string;
  readonly template: CompiledTemplate;
  /** Images after the text; mostly none. */
  readonly images: readonly CompiledImage[];
}

/**
 * Compiles the body of POST /v1/chat/completions. Keys stand in a fixed order: model, messages, response_format, then the parameters in the order
 * of PARAMS; a changed byte would change every key. What is the same for all rows is turned into JSON once.
 */
export function compileBody(job: Job, messages: readonly CompiledMessage[]): (cells: readonly unknown[]) => string {
  const responseFormat = makeResponseFormat(job.output);
  const tail = [
    ...(responseFormat === null ? [] : [`,"response_format":${JSON.stringify(responseFormat)}`]),
    ...makeWireParams(job.params).map(([name, value]) => `,${JSON.stringify(name)}:${JSON.stringify(value)}`),
  ];
  const steps: Step[] = [`{"model":${JSON.stringify(job.model)},"messages":[`];
  for (const [index, message] of messages.entries()) {
    steps.push(
      `${index === 0 ? '' : ','}{"role":${JSON.stringify(message.role)},"content":`,
      ...makeMessageSteps(message, job.directory),
      '}',
    );
  }
  return joinSteps([...steps, `]${tail.join('')}}`]);
}

/** Ready JSON, a column whose text is put in, or a template rendered by Liquid. */
type Step = string | number | ((cells: readonly unknown[]) => string);

/** Text alone is a string; with images it is the first of a list of parts, unless there is no text at all. */
function makeMessageSteps({ template, images }: CompiledMessage, directory: string): readonly Step[] {
  const text = ['"', ...makeContentSteps(template), '"'];
  if (images.length === 0) return text;
  const hasText = template.columns.length > 0 || template.literalText !== '';
  const textPart = hasText ? ['{"type":"text","text":', ...text, '},'] : [];
  return ['[', ...textPart, compileImageParts(images, directory), ']'];
}

function makeContentSteps(template: CompiledTemplate): readonly Step[] {
  if (template.pieces !== null) return template.pieces.map((piece) => (typeof piece === 'string' ? escapeJson(piece) : piece));
  return [(cells) => escapeJson(template.render(cells))];
}

function joinSteps(steps: readonly Step[]): (cells: readonly unknown[]) => string {
  const merged: Step[] = [];
  for (const step of steps) {
    if (typeof step === 'string' && typeof merged.at(-1) === 'string') merged.push(`${merged.pop()}${step}`);
    else merged.push(step);
  }
  return (cells) => {
    let body = '';
    for (const step of merged) {
      if (typeof step === 'string') body += step;
      else body += typeof step === 'number' ? escapeJson(showCell(cells[step])) : step(cells);
    }
    return body;
  };
}

/** The inside of a JSON string. */
function escapeJson(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

function makeResponseFormat(output: OutputSpec): object | null {
  if (output.type === 'text') return null;
  if (output.format === 'json_object') return { type: 'json_object' };
  return { type: 'json_schema', json_schema: { name: SCHEMA_NAME, strict: true, schema: output.schema } };
}
