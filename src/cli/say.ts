import { scrubSecrets } from '../host/secrets.ts';
import { escapeForTerminal } from '../output/escape-for-terminal.ts';

/** A line for a person, on stderr; results go to stdout. */
export function say(text: string): void {
  process.stderr.write(`${escapeForTerminal(scrubSecrets(text))}\n`);
}

/** A result, on stdout. Text from tables and providers in it is escaped where it is put together: colours have to stay. */
export function print(text: string): void {
  process.stdout.write(`${scrubSecrets(text)}\n`);
}

/** The one object of `--json`, on stdout. */
export function printJson(value: unknown): void {
  print(JSON.stringify(value));
}

/** Whether a stream wants colour: a terminal that NO_COLOR does not silence. */
export function hasColour(stream: NodeJS.WriteStream): boolean {
  return stream.isTTY === true && (process.env.NO_COLOR ?? '') === '' && process.env.TERM !== 'dumb';
}
