import { UsageError } from '../../core/errors.ts';

/** The user's question about a table: the part of a drafted job that is not guessed. */
export interface Asked {
  /** A prompt that names no column gets the columns of text. */
  readonly prompt: string;
  /** As in a job file: `text`, or fields in shorthand. */
  readonly output: string | Readonly<Record<string, unknown>>;
  /** Empty without. */
  readonly labels: readonly string[];
  readonly model: string;
}

/** The part given by flags; absent if they do not give it. */
export interface AskedFlags {
  readonly prompt?: string;
  readonly output?: readonly string[];
  readonly labels?: readonly string[];
  readonly model?: string;
}

/** Whether a prompt names its columns itself. */
export function isTemplate(prompt: string): boolean {
  return /\{\{|\{%/.test(prompt);
}

/** A current model, cheap and good at reading short texts. */
export const DEFAULT_MODEL = 'gpt-6-luna';
/** The question for a table if the user gave none. */
const DEFAULT_PROMPT = 'Summarize this in one sentence.';

export function makeAsked(flags: AskedFlags): Asked {
  const { prompt = DEFAULT_PROMPT, output = [], labels = [], model = DEFAULT_MODEL } = flags;
  if (prompt.trim() === '') throw new UsageError('--prompt: is empty; say what to do with each row');
  if (model.trim() === '') throw new UsageError('--model: is empty; name one, for example gpt-6-luna');
  const [, file] = /^@?(\S+\.(?:txt|md|prompt))$/i.exec(prompt.trim()) ?? [];
  if (file !== undefined)
    throw new UsageError(`--prompt: takes the text itself, not a file; to send the contents of one: --prompt "$(cat ${file})"`);
  const fallback = labels.length > 0 ? { label: 'label' } : 'text';
  return { prompt, output: output.length > 0 ? readOutputFlags(output) : fallback, labels, model: model.trim() };
}

/** What flags change about the earlier question. */
export function changeAsked(before: Asked, flags: AskedFlags): Asked {
  const { prompt = before.prompt, model = before.model, labels = before.labels } = flags;
  const asked = makeAsked({ ...flags, prompt, model, labels });
  return { ...asked, output: flags.output === undefined && flags.labels === undefined ? before.output : asked.output };
}

/** Reads the question from a drafted job, parsed; null if it is not one. */
export function readAsked(spec: unknown): Asked | null {
  const { prompt, output, labels = [], model } = (spec ?? {}) as Readonly<Record<string, unknown>>;
  const told = typeof prompt === 'string' ? prompt : (prompt as { readonly system?: unknown } | undefined)?.system;
  const isOutput = output === 'text' || (typeof output === 'object' && output !== null);
  if (typeof told !== 'string' || typeof model !== 'string' || !isOutput || !Array.isArray(labels)) return null;
  return { prompt: told.replace(/\n$/, ''), output: output as Asked['output'], labels: labels as string[], model };
}

/** A field and its type, separated by a colon. */
const FIELD = /^\s*([\p{L}_][\p{L}\p{N}_ .-]*?)\s*:\s*(\S.*?)\s*$/su;
/** Several fields in one flag: a comma, semicolon or line break followed by `name:`. */
const BETWEEN_FIELDS = /\s*[,;\n]\s*(?=[\p{L}_][\p{L}\p{N}_ .-]*:)/u;

/** `text`, or `name: type` for each field, in the shorthand of a job file. @throws UsageError for anything else */
export function readOutputFlags(flags: readonly string[]): Asked['output'] {
  const words = flags.flatMap((flag) => flag.split(BETWEEN_FIELDS)).map((word) => word.trim());
  if (words.length === 1 && words[0] === 'text') return 'text';
  const fields: Record<string, string> = {};
  for (const word of words) {
    const [, name, type] = FIELD.exec(word) ?? [];
    if (name === undefined || type === undefined) throw new UsageError(`--output ${JSON.stringify(word)}: ${explain(word)}`);
    if (Object.hasOwn(fields, name)) throw new UsageError(`--output: two fields are called "${name}"`);
    fields[name] = type;
  }
  return fields;
}

function explain(word: string): string {
  if (word === '') return "is empty; name fields, as in --output 'sentiment: positive | negative', or text";
  if (word === 'text') return 'cannot be combined with fields';
  if (/\.(csv|tsv|jsonl?|xlsx|parquet)$/i.test(word)) return `is what to answer, not where; the table goes to --out ${word}`;
  if (word.includes('|')) return `name the field: --output 'answer: ${word}'`;
  const name = /^[\p{L}_][\p{L}\p{N}_-]*$/u.test(word) ? word : 'sentiment';
  return `pass a name and a type: --output '${name}: string', '${name}: yes | no', '${name}: number 0..1'; or --output text`;
}
