import net from 'node:net';
import { UsageError } from '../core/errors.ts';

/** Each attack uses its own database, so that several can run at a time. */
const DATABASES = 14;
/** Of those, where the databases of a promise begin, and how many it has. */
const PARTS = { redis: { first: 1, count: 10 }, limits: { first: 11, count: 4 } } as const;
const ANSWER_MS = 5_000;

/** @returns the URL of the attack's database */
export function chooseDatabase(url: string, number: number, promise: keyof typeof PARTS): string {
  const { first, count } = PARTS[promise];
  return nameDatabase(url, first + (number % count));
}

function nameDatabase(url: string, database: number): string {
  const named = new URL(url);
  named.pathname = `/${database}`;
  return named.href;
}

export function emptyDatabase(url: string): Promise<string> {
  return sendCommand(url, 'FLUSHDB');
}

/** @throws UsageError if a database is not empty: attacks erase it */
export async function requireEmptyRedis(url: string): Promise<void> {
  if (!URL.canParse(url) || !url.startsWith('redis://'))
    throw new UsageError('--redis: give a URL without TLS, for example redis://127.0.0.1:6379');
  const { host } = new URL(url);
  for (let database = 1; database <= DATABASES; database += 1) {
    const answer = await sendCommand(nameDatabase(url, database), 'DBSIZE').catch((error: Error) => {
      throw new UsageError(`--redis: ${host} does not answer: ${error.message}`);
    });
    const says = answer.startsWith(':') ? `database ${database} holds ${answer.slice(1)} keys` : `it answers ${answer}`;
    if (answer !== ':0')
      throw new UsageError(
        `--redis: ${host}: ${says}; the attacks erase databases 1 to ${DATABASES}, so name a Redis where these are empty`,
      );
  }
}

/** Sends a single command, inline, as Redis accepts it from a terminal. @returns the last line of its reply */
function sendCommand(url: string, command: string): Promise<string> {
  const { hostname, port, username, password, pathname } = new URL(url);
  const login = password === '' ? [] : [`AUTH ${username === '' ? '' : `${decodeURIComponent(username)} `}${decodeURIComponent(password)}`];
  const lines = [...login, `SELECT ${pathname.slice(1)}`, command];
  return new Promise((resolve, reject) => {
    const socket = net.connect({ host: hostname, port: Number(port === '' ? 6379 : port) });
    let said = '';
    socket.setTimeout(ANSWER_MS, () => socket.destroy(new Error('no answer within 5 s')));
    socket.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      const answers = said.split('\r\n').slice(0, -1);
      if (answers.length < lines.length) return;
      socket.destroy();
      resolve(answers.at(-1) as string);
    });
    socket.on('error', reject);
    socket.write(lines.map((line) => `${line}\r\n`).join(''));
  });
}
