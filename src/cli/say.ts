import { scrubSecrets } from '../host/secrets.ts';
import { escapeForTerminal } from '../output/escape-for-terminal.ts';
import { createPaint, type Paint } from './render/paint.ts';
import { wrapText } from './render/wrap-text.ts';

/** Prints a line for a person on stderr; results go to stdout. */
export function say(text: string): void {
  process.stderr.write(`${layOut(escapeForTerminal(scrubSecrets(text)), process.stderr)}\n`);
}

/** Prints a result on stdout. Text from tables and providers is escaped where it is assembled: colours have to stay. */
export function print(text: string): void {
  process.stdout.write(`${layOut(scrubSecrets(text), process.stdout)}\n`);
}

/** Prints a result while standard output is used for a table: on stderr, with its colours. */
export function printAside(text: string): void {
  process.stderr.write(`${layOut(scrubSecrets(text), process.stderr)}\n`);
}

/** Prints what a program or a shell reads, on stdout: its lines are never wrapped, not even on a terminal. */
export function printForPrograms(text: string): void {
  process.stdout.write(`${scrubSecrets(text)}\n`);
}

/** The one object of `--json`, on stdout. */
export function printJson(value: unknown): void {
  printForPrograms(JSON.stringify(value));
}

/** Colours for text that goes to a stream. */
export function paintFor(stream: NodeJS.WriteStream): Paint {
  return createPaint(hasColour(stream), columnsOf(stream));
}

/** The width of a terminal; null if the stream is not one, or does not report it. */
export function columnsOf({ isTTY, columns }: NodeJS.WriteStream): number | null {
  return isTTY === true && columns > 0 ? columns : null;
}

/** On a terminal no word is cut at the edge; files and pipes get lines as they are. */
function layOut(text: string, stream: NodeJS.WriteStream): string {
  const columns = columnsOf(stream);
  return columns === null ? text : wrapText(text, columns);
}

/** Whether a stream gets colour: a terminal, unless NO_COLOR is set. */
export function hasColour(stream: NodeJS.WriteStream): boolean {
  return stream.isTTY === true && (process.env.NO_COLOR ?? '') === '' && process.env.TERM !== 'dumb';
}
