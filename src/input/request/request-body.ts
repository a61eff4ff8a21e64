import type { Job } from '../../core/job.ts';
import { type BodyForm, makeBodyForm } from './body-form.ts';
import { type CompiledImage, compileImageParts } from './compile-images.ts';
import type { CompiledTemplate } from './template.ts';

/** A message with its compiled template. */
export interface CompiledMessage {
  readonly role: string;
  readonly template: CompiledTemplate;
  /** Images after the text; usually none. */
  readonly images: readonly CompiledImage[];
}

/**
 * Compiles the body of a request. Keys have a fixed order: model, messages (or input), the answer's format, then the parameters in the order
 * of PARAMS; a changed byte would change every key. What is the same for all rows is turned into JSON once.
 */
export function compileBody(job: Job, messages: readonly CompiledMessage[]): (cells: readonly unknown[]) => string {
  const form = makeBodyForm(job);
  if (!form.hasMessages) {
    return joinSteps([form.head, (cells) => JSON.stringify(messages.map(({ template }) => template.render(cells)).join('')), form.tail]);
  }
  const steps: Step[] = [form.head, '['];
  for (const [index, message] of messages.entries()) {
    const start = `${index === 0 ? '' : ','}{"role":${JSON.stringify(message.role)},"content":`;
    steps.push(start, ...makeMessageSteps(message, job.directory, form), '}');
  }
  return joinSteps([...steps, ']', form.tail]);
}

/** Finished JSON, or a function that makes JSON from a row. */
type Step = string | ((cells: readonly unknown[]) => string);

/** Text alone is a string; with images it is the first of a list of parts, unless there is no text at all. */
function makeMessageSteps({ template, images }: CompiledMessage, directory: string, form: BodyForm): readonly Step[] {
  const text = makeContentStep(template);
  if (images.length === 0) return [text];
  const hasText = template.columns.length > 0 || template.literalText !== '';
  const textPart = hasText ? [`{"type":"${form.textPart}","text":`, text, '},'] : [];
  return ['[', ...textPart, compileImageParts(images, directory, { image: form.renderImagePart, file: form.renderFilePart }), ']'];
}

function makeContentStep(template: CompiledTemplate): Step {
  return template.columns.length === 0 ? JSON.stringify(template.render([])) : (cells) => JSON.stringify(template.render(cells));
}

function joinSteps(steps: readonly Step[]): (cells: readonly unknown[]) => string {
  const merged: Step[] = [];
  for (const step of steps) {
    if (typeof step === 'string' && typeof merged.at(-1) === 'string') merged.push(`${merged.pop()}${step}`);
    else merged.push(step);
  }
  return (cells) => {
    let body = '';
    for (const step of merged) body += typeof step === 'string' ? step : step(cells);
    return body;
  };
}
