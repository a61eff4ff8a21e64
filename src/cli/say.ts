import { scrubSecrets } from '../host/secrets.ts';
import { escapeForTerminal } from '../output/escape-for-terminal.ts';
import { createPaint, type Paint } from './render/paint.ts';
import { wrapText } from './render/wrap-text.ts';

/** A line for a person, on stderr; results go to stdout. */
export function say(text: string): void {
  process.stderr.write(`${layOut(escapeForTerminal(scrubSecrets(text)), process.stderr)}\n`);
}

/** A result, on stdout. Text from tables and providers in it is escaped where it is put together: colours have to stay. */
export function print(text: string): void {
  process.stdout.write(`${layOut(scrubSecrets(text), process.stdout)}\n`);
}

/** A result while standard output belongs to a table: on stderr, with its colours. */
export function printAside(text: string): void {
  process.stderr.write(`${layOut(scrubSecrets(text), process.stderr)}\n`);
}

/** What a program or a shell reads, on stdout: no line of it is broken, on a terminal either. */
export function printForPrograms(text: string): void {
  process.stdout.write(`${scrubSecrets(text)}\n`);
}

/** The one object of `--json`, on stdout. */
export function printJson(value: unknown): void {
  printForPrograms(JSON.stringify(value));
}

/** For text that goes to a stream. */
export function paintFor(stream: NodeJS.WriteStream): Paint {
  return createPaint(hasColour(stream), columnsOf(stream));
}

/** How wide a terminal is; null where a stream is none, or does not say. */
export function columnsOf({ isTTY, columns }: NodeJS.WriteStream): number | null {
  return isTTY === true && columns > 0 ? columns : null;
}

/** On a terminal no word is cut at its edge; files and pipes get lines as they are. */
function layOut(text: string, stream: NodeJS.WriteStream): string {
  const columns = columnsOf(stream);
  return columns === null ? text : wrapText(text, columns);
}

/** Whether a stream wants colour: a terminal that NO_COLOR does not silence. */
export function hasColour(stream: NodeJS.WriteStream): boolean {
  return stream.isTTY === true && (process.env.NO_COLOR ?? '') === '' && process.env.TERM !== 'dumb';
}
