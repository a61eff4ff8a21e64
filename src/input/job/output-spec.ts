import type { OutputSpec } from '../../core/job.ts';
import { type Path, showPath, showValue } from '../../core/problem-path.ts';
import { suggest } from '../../core/wording/suggest.ts';
import { checkDialect, compileValidator } from '../answer/answer-validator.ts';
import { expandShorthand, type PathProblem } from './output-shorthand.ts';
import { completeStrictSchema, lintStrictSchema } from './strict-schema.ts';

type Map = Readonly<Record<string, unknown>>;

/** The job's `output` in canonical form, and everything that is wrong with it. */
export interface OutputReading {
  readonly output: OutputSpec;
  readonly problems: readonly PathProblem[];
}

const TEXT: OutputSpec = { type: 'text' };

/** Reads `output`: `text`, `vector`, JSON mode (`json: object`), a JSON Schema (`type: object` with `properties`), else fields in shorthand. */
export function readOutput(value: unknown, labels: readonly string[]): OutputReading {
  const path = ['output'];
  if (value === 'vector') return { output: TEXT, problems: [] };
  if (value === 'text') return readText(labels);
  if (!isMap(value)) {
    return {
      output: TEXT,
      problems: [{ path, message: `output: must be text or a map of fields, not ${showValue(value)}${showWayOut(value)}` }],
    };
  }
  if (value.json === 'object') return readJsonMode(value, path);
  if (value.type === 'object' && isMap(value.properties)) return readStrictSchema(value, path);
  const { schema, problems } = expandShorthand(value, labels, path);
  if (problems.length > 0) return { output: TEXT, problems };
  return readSchema(
    schema,
    findStrictProblems(schema, (schemaPath) => [...path, ...schemaPath.filter((step) => step !== 'properties')]),
  );
}

/** A misspelled word; or a type, or a list of choices, that only lacks the name of a field. */
function showWayOut(value: unknown): string {
  const meant = typeof value === 'string' ? suggest(value, ['text', 'vector']) : '';
  if (meant !== '' || value === undefined || value === null) return meant;
  const field = Array.isArray(value) ? value.join(' | ') : String(value);
  return field.length > 60 ? '' : `; name a field, for example { answer: ${field} }`;
}

/** Answers are compared with labels without the spaces around them. */
function readText(labels: readonly string[]): OutputReading {
  const padded = labels.filter((label) => label === '' || label !== label.trim());
  const problems = padded.map((label) => ({
    path: ['labels'],
    message: `labels: ${JSON.stringify(label)} is blank or has spaces around it, which an answer in plain text cannot keep`,
  }));
  return { output: labels.length === 0 ? TEXT : { type: 'text', labels }, problems };
}

function readJsonMode(value: Map, path: Path): OutputReading {
  const unknown = Object.keys(value).filter((key) => key !== 'json' && key !== 'schema');
  const problems: PathProblem[] = unknown.map((key) => ({
    path: [...path, key],
    message: `${showPath([...path, key])}: unknown key beside json: object${suggest(key, ['schema'])}`,
  }));
  const schema = value.schema ?? null;
  if (schema !== null && !isMap(schema))
    problems.push({ path: [...path, 'schema'], message: 'output.schema: must be a JSON Schema (a map)' });
  const usable = isMap(schema) ? schema : null;
  if (usable !== null) problems.push(...checkCompiles(usable, [...path, 'schema']));
  return { output: { type: 'json', format: 'json_object', schema: usable, columns: listColumns(usable) }, problems };
}

function readStrictSchema(value: Map, path: Path): OutputReading {
  const { $schema: _dialect, ...body } = value;
  const schema = completeStrictSchema(body) as Map;
  const strict = findStrictProblems(schema, (schemaPath) => [...path, ...schemaPath]);
  return readSchema(schema, strict.length > 0 ? strict : checkCompiles(schema, path));
}

function findStrictProblems(schema: Map, locate: (schemaPath: Path) => Path): PathProblem[] {
  return lintStrictSchema(schema).map((problem) => ({
    path: locate(problem.path),
    message: `${showPath(locate(problem.path))}: ${problem.message}`,
  }));
}

function readSchema(schema: Map, problems: readonly PathProblem[]): OutputReading {
  return { output: { type: 'json', format: 'json_schema', schema, columns: listColumns(schema) }, problems };
}

/** A schema written by the user. One in shorthand is built from valid parts. */
function checkCompiles(schema: Map, path: Path): PathProblem[] {
  try {
    checkDialect(schema);
    compileValidator(schema);
    return [];
  } catch (error) {
    return [{ path, message: `${showPath(path)}: not a usable JSON Schema: ${(error as Error).message}` }];
  }
}

function listColumns(schema: Map | null): readonly string[] {
  return isMap(schema?.properties) ? Object.keys(schema.properties) : [];
}

function isMap(value: unknown): value is Map {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
