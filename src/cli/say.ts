import { scrubSecrets } from './report-failure.ts';

/** One line for a person, on stderr; results go to stdout. */
export function say(text: string): void {
  process.stderr.write(`${scrubSecrets(text)}\n`);
}

/** A result, on stdout. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Whether a stream wants colour: a terminal that NO_COLOR does not silence. */
export function hasColour(stream: NodeJS.WriteStream): boolean {
  return stream.isTTY === true && (process.env.NO_COLOR ?? '') === '' && process.env.TERM !== 'dumb';
}
