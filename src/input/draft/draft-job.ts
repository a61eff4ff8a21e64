import path from 'node:path';
import { Scalar, stringify } from 'yaml';
import { formatCount, formatThings } from '../../core/wording/format-count.ts';
import { quoteArgument, quotePath } from '../../core/wording/quote-argument.ts';
import { nameDelimiter } from '../job/delimiter.ts';
import { nameByPlace } from '../table/csv-header.ts';
import { type Asked, isTemplate } from './asked.ts';
import type { ColumnRoles } from './column-roles.ts';
import { chooseParams } from './draft-params.ts';
import type { DraftPlace } from './locate-draft.ts';
import { canBeNamed, showName, showPlaceholder } from './placeholder.ts';
import type { TableSample } from './sample-table.ts';
import { sealText } from './seal.ts';

/** What a drafted job is made from. */
export interface DraftParts {
  readonly place: DraftPlace;
  /** The table, absolute or a glob. */
  readonly table: string;
  readonly sample: TableSample;
  readonly roles: ColumnRoles;
  readonly asked: Asked;
  /** A line that lets editors complete the file; empty if there is none. */
  readonly schemaLine: string;
  /** The path of the output table in an earlier draft; null for the default next to the table. */
  readonly out: string | null;
  /** The prefix of added columns if the table already has some of their names; null if it has none. */
  readonly prefix: string | null;
}

/** From this many rows on, waiting for half the price is worth it. */
const BATCH_ROWS = 500;
const COMMENT_COLUMN = 34;
const MAX_SHOWN_VALUES = 6;
const MAX_SHOWN_CHARACTERS = 24;

/** The job file a person would have written for this table, each guess with a comment; its last line holds its own hash. */
export function draftJob(parts: DraftParts): string {
  const { place, sample, asked, schemaLine } = parts;
  const mode = chooseMode(sample);
  const lines = [
    ...(schemaLine === '' ? [] : [schemaLine.trimEnd()]),
    `# ${describeSample(parts)} Each guess says so; change what you like.`,
    entry('name', place.name),
    ...draftInput(parts),
    entry('model', asked.model, 'prices: rowmill prices'),
    entry('mode', mode, mode === 'batch' ? 'half price, within 24 hours; live: now' : 'now; batch: half price, within 24 hours'),
    ...draftPrompt(parts),
    ...(asked.labels.length === 0 ? [] : [entry('labels', asked.labels, 'a closed set')]),
    ...draftOutput(asked),
    'params:',
    ...chooseParams(asked).map(([name, value, why]) => entry(name, value, why, 2)),
    '# budget: { usd: 5.00 }          # per run; nothing is sent that could exceed it',
    '# pilot: 50                      # rows to send first; the others follow if these go well',
    '# fail_if: { failed_rows: "> 1%", skipped_rows: "> 1%" }   # when a finished run ends with exit 3; default: any failed or skipped row',
    'write:',
    entry('path', parts.out ?? `${place.out}.${chooseExtension(sample)}`, 'the table with the answers', 2),
    entry('keep', 'all', 'the columns to carry over', 2),
    ...(parts.prefix === null
      ? []
      : [entry('prefix', parts.prefix, 'of every added column, because the table already has some of these names', 2)]),
    ...draftForm(sample),
    ...describeLabels(parts),
  ];
  return sealText(`${lines.join('\n')}\n`);
}

/** Where the decimal separator is a comma, spreadsheets write and expect semicolons; they read umlauts correctly only after a byte order mark. */
function draftForm({ delimiter, form, hasByteOrderMark }: TableSample): readonly string[] {
  if (delimiter !== ';') return [];
  return [
    entry('delimiter', delimiter, 'as in the table that was read', 2),
    ...(hasByteOrderMark || form.encoding !== null
      ? [entry('excel', true, 'a byte order mark, so that a spreadsheet reads every letter; formulas become text', 2)]
      : []),
  ];
}

function chooseExtension({ format }: TableSample): string {
  if (format === 'parquet') return format;
  return format === 'jsonl' || format === 'json' ? 'jsonl' : 'csv';
}

/** If there are more rows than were sampled, there are many. */
function chooseMode({ rows, isWhole }: TableSample): 'batch' | 'live' {
  return !isWhole || rows.length >= BATCH_ROWS ? 'batch' : 'live';
}

function describeSample({ table, sample: { rows, isWhole, columns } }: DraftParts): string {
  const counted = `${isWhole ? 'all' : 'the first'} ${formatCount(rows.length)} rows`;
  return `Made by rowmill from ${rows.length === 1 ? 'the only row' : counted} of ${comment(path.basename(table))}, which has ${formatThings(columns.length, 'column')}.`;
}

function draftInput({ place, table, sample, roles }: DraftParts): readonly string[] {
  const { form, format } = sample;
  const relative = path.relative(path.dirname(place.file), table);
  return [
    'input:',
    entry('path', relative, `${format.toUpperCase()}`, 2),
    ...(form.delimiter === null
      ? []
      : [
          entry(
            'delimiter',
            nameDelimiter(form.delimiter),
            sample.columns.length === 1 ? 'a guess: occurs nowhere, so that each line is one text' : 'a guess: the character between cells',
            2,
          ),
        ]),
    ...(form.encoding === null ? [] : [entry('encoding', form.encoding, 'a guess: it is not UTF-8; check the first prompt', 2)]),
    ...draftHeader(form),
    ...(form.quote === undefined ? [] : [entry('quote', form.quote, 'a guess: quotes occur within cells, and are text', 2)]),
    ...(form.badRows === undefined
      ? []
      : ['  # bad_rows: skip               # some lines cannot be read: with this they keep their places and are not sent']),
    draftId(roles),
  ];
}

function draftHeader({ columns, hasHeader }: TableSample['form']): readonly string[] {
  if (columns !== null && hasHeader === true)
    return [
      entry('columns', [...columns], 'in place of the header, where a name occurs more than once; choose better ones', 2),
      entry('header', true, 'the first line is the header', 2),
    ];
  if (columns !== null)
    return [entry('columns', [...columns], 'a guess: the first line is a row, so the columns have no names; choose better ones', 2)];
  if (hasHeader === undefined) return [];
  const why = `a guess: the first line names the column; if it is a row: false, and {{ ${nameByPlace(0)} }} below`;
  return [entry('header', hasHeader, why, 2)];
}

function draftId({ id, nearId }: Pick<ColumnRoles, 'id' | 'nearId'>): string {
  if (nearId !== null)
    return `  # id: ${comment(`${nearId.name}  # not an id, because ${JSON.stringify(nearId.repeated)} occurs more than once; rows are numbered`)}`;
  const [only] = id;
  if (only === undefined) return `  # id: …                        # no column identifies rows: they are numbered`;
  const why = id.length === 1 ? 'a guess: unique in each row' : 'a guess: unique together';
  return entry('id', id.length === 1 ? only : [...id], why, 2);
}

function draftPrompt({ asked, roles, sample }: DraftParts): readonly string[] {
  const unused = sample.columns.filter((name) => canBeNamed(name) && !roles.texts.includes(name));
  const others =
    unused.length === 0
      ? []
      : [`# Other columns: ${comment(unused.slice(0, 12).map(showPlaceholder).join(' '))}${unused.length > 12 ? ' …' : ''}`];
  if (isTemplate(asked.prompt)) return [block('prompt', asked.prompt)];
  const isOne = roles.texts.length === 1;
  const texts = roles.texts.map((name) => (isOne ? showPlaceholder(name) : `${showName(name)}: ${showPlaceholder(name)}`));
  return [
    'prompt:',
    block('system', asked.prompt, 2),
    `  # a guess: ${isOne ? 'the column of text is' : 'the columns of text are'} ${comment(roles.texts.join(', '))}`,
    block('user', texts.join('\n'), 2),
    ...others,
  ];
}

function draftOutput({ output }: Asked): readonly string[] {
  const example = '# or fields, each a column: output: { topic: billing | bug | other, urgent: boolean, summary: string }';
  if (typeof output === 'string') return [entry('output', output, 'one column, answer'), example];
  return [
    'output:                          # each field becomes a column',
    ...Object.entries(output).map(([name, type]) => entry(name, type, '', 2)),
  ];
}

function describeLabels({ roles, place, asked }: DraftParts): readonly string[] {
  if (roles.labels.length === 0) return [];
  const shown = roles.labels.map(
    ({ name, values }) =>
      `${name} (${values.slice(0, MAX_SHOWN_VALUES).map(clip).join(', ')}${values.length > MAX_SHOWN_VALUES ? ', …' : ''})`,
  );
  const possible = listPossibleAnswers(asked);
  const gold = roles.labels.find(({ values }) => values.every((value) => possible.has(value)));
  const command = gold === undefined ? '' : `rowmill eval ${quotePath(path.basename(place.file))} --gold ${quoteArgument(gold.name)}`;
  return [
    `# Columns that look like labels: ${comment(shown.join('; '))}`,
    ...(gold === undefined ? [] : [`# ${comment(gold.name)} may hold the correct answers: ${comment(command)}`]),
  ];
}

/** Labels, and what fields choose from: `good | bad`. */
function listPossibleAnswers({ labels, output }: Asked): ReadonlySet<string> {
  const types = typeof output === 'string' ? [] : Object.values(output).filter((type) => typeof type === 'string');
  return new Set([...labels, ...types.flatMap((type) => type.split('|').map((value) => value.trim()))]);
}

function clip(value: string): string {
  return value.length <= MAX_SHOWN_CHARACTERS ? value : `${value.slice(0, MAX_SHOWN_CHARACTERS - 1)}…`;
}

/** Text of a table within a comment: kept on one line. */
function comment(text: string): string {
  return text.replaceAll(/\p{Cc}|[\u2028\u2029]/gu, ' ');
}

/** A key with its value, and why. */
function entry(key: string, value: unknown, why = '', indent = 0): string {
  const line = `${' '.repeat(indent)}${showValue(key)}: ${showValue(value)}`;
  return why === '' ? line : `${line.padEnd(COMMENT_COLUMN - 2)} # ${why}`;
}

/** On one line: values that YAML would break are written as JSON. */
function showValue(value: unknown): string {
  const text = stringify(value, { lineWidth: 0, collectionStyle: 'flow', flowCollectionPadding: false }).trimEnd();
  return text.includes('\n') ? JSON.stringify(value) : text;
}

/** A key with a text of several lines, as a block if YAML can keep it so. */
function block(key: string, text: string, indent = 0): string {
  const scalar = new Scalar(text.endsWith('\n') ? text : `${text}\n`);
  if (text.includes('\n') || text.includes('{{')) scalar.type = Scalar.BLOCK_LITERAL;
  else scalar.value = text;
  return stringify({ [key]: scalar }, { lineWidth: 0 })
    .trimEnd()
    .split('\n')
    .map((line) => (line === '' ? '' : ' '.repeat(indent) + line))
    .join('\n');
}
