import { UsageError } from '../core/errors.ts';
import type { ImageTemplate } from '../core/job.ts';
import type { CodeMessages } from '../core/job-code.ts';
import { showValue } from '../core/problem-path.ts';
import { suggest } from '../core/wording/suggest.ts';

const PARTS = ['system', 'user', 'images', 'files'];
const DETAILS = ['low', 'high', 'auto'];

/** The messages in the result of a prompt function. @throws UsageError for anything but a string, `{ system, user, images, files }` or null */
export function readPrompt(given: unknown): CodeMessages {
  if (given === null) return null;
  if (typeof given === 'string') return [{ role: 'user', content: given }];
  if (typeof given !== 'object' || Array.isArray(given))
    throw refuse(`gave ${show(given)}; give a text, { system, user, images, files }, or null to skip the row`);
  const unknown = Object.keys(given).find((key) => !PARTS.includes(key));
  if (unknown !== undefined) throw refuse(`gave an unknown part "${unknown}"${suggest(unknown, PARTS) || `. Parts: ${PARTS.join(', ')}`}`);
  const { system, user, images = [], files = [] } = given as Readonly<Record<string, unknown>>;
  const systemText = readText(system, 'system');
  const userText = readText(user, 'user');
  if (!Array.isArray(images)) throw refuse(`images: give a list, not ${show(images)}`);
  if (!Array.isArray(files)) throw refuse(`files: give a list, not ${show(files)}`);
  const parts = [...images.map(readImage), ...files.map(readFile)];
  return [
    ...(systemText === null ? [] : [{ role: 'system' as const, content: systemText }]),
    ...(userText === null && parts.length === 0
      ? []
      : [{ role: 'user' as const, content: userText ?? '', ...(parts.length === 0 ? {} : { images: parts }) }]),
  ];
}

function readText(value: unknown, part: string): string | null {
  if (value === undefined) return null;
  if (typeof value !== 'string') throw refuse(`${part}: give a text, not ${show(value)}`);
  return value;
}

function readImage(image: unknown): ImageTemplate {
  const { url, detail = null } = (typeof image === 'string' ? { url: image } : (image ?? {})) as { url?: unknown; detail?: unknown };
  if (typeof url !== 'string') throw refuse(`images: give texts, or { url, detail }, not ${show(image)}`);
  if (detail !== null && !DETAILS.includes(detail as string)) throw refuse(`images: detail is ${DETAILS.join(', ')}, not ${show(detail)}`);
  return { url, detail: detail as ImageTemplate['detail'] };
}

function readFile(file: unknown): ImageTemplate {
  if (typeof file !== 'string') throw refuse(`files: give texts, not ${show(file)}`);
  return { url: file, detail: null, isFile: true };
}

function refuse(what: string): UsageError {
  return new UsageError(`prompt: the function ${what}`, { code: 'job' });
}

/** Without the text of a row, which a value may contain. */
function show(value: unknown): string {
  if (value === undefined) return 'nothing (undefined)';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'number' || typeof value === 'boolean') return showValue(value);
  return typeof value === 'string' ? 'this text' : `a value of type ${typeof value}`;
}
