import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { EXIT, UsageError } from '../../core/errors.ts';
import { suggest } from '../../core/wording/suggest.ts';
import { PROMISES, type Proof, type Proved, prove as proveAll } from '../../prove/prove.ts';
import { programName } from '../program-name.ts';
import { createPaint } from '../render/paint.ts';
import { renderTable } from '../render/render-table.ts';
import { hasColour, print, printJson, say } from '../say.ts';

export interface ProveFlags {
  readonly seconds: number;
  readonly seed: number;
  readonly only?: string;
  readonly redis?: string;
  readonly json?: boolean;
}

const STOPS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const MAX_CELLS = 100;
const SHOWN_VIOLATIONS = 5;

/** `rowmill prove`: attacks every promise against the built-in simulator, in a temporary folder. */
export async function prove(flags: ProveFlags): Promise<number> {
  const names = chooseNames(flags);
  const stopping = new AbortController();
  const stop = (name: NodeJS.Signals) => stopping.abort(name);
  for (const name of STOPS) process.once(name, stop);
  try {
    const proof = await proveAll({
      program: findProgram(),
      seconds: flags.seconds,
      seed: flags.seed,
      names,
      redisUrl: flags.redis ?? null,
      signal: stopping.signal,
      tell: say,
    });
    if (flags.json === true) printJson(makeObject(proof, flags));
    else printProof(proof, flags, stopping.signal.aborted);
    if (stopping.signal.aborted) return stopping.signal.reason === 'SIGINT' ? EXIT.interrupted : EXIT.terminated;
    return proof.promises.every(isHeld) ? EXIT.done : EXIT.bug;
  } finally {
    for (const name of STOPS) process.off(name, stop);
  }
}

/** @throws UsageError for an unknown name */
function chooseNames({ only, redis }: ProveFlags): readonly string[] {
  const names = PROMISES.map(({ name }) => name);
  if (only === undefined) return names;
  if (only === 'redis' && redis === undefined) throw new UsageError('--only redis: give an empty one, --redis redis://127.0.0.1:6379');
  if (names.includes(only)) return [only];
  throw new UsageError(`--only: no promise is called "${only}"${suggest(only, names) || '.'} They are ${names.join(', ')}`);
}

/** The command's main module: next to this one in the bundle, above it in the tree. */
function findProgram(): string {
  const beside = fileURLToPath(new URL('./main.cjs', import.meta.url));
  return existsSync(beside) ? beside : fileURLToPath(new URL('../main.js', import.meta.url));
}

/** An attack that did not fire proves nothing, and neither do no attacks. */
function isHeld({ broken, attacks, fired }: Proved): boolean {
  return broken === 0 && fired === attacks && attacks > 0;
}

/** The command that repeats this attack first, with as few others as possible. */
function repeat(name: string, seed: number, { redis }: ProveFlags): string {
  const over = name === 'redis' && redis !== undefined ? ` --redis ${withoutPassword(redis)}` : '';
  return `${programName()} prove --only ${name} --seed ${seed} --seconds 1${over}`;
}

function withoutPassword(url: string): string {
  const shown = new URL(url);
  shown.password = '';
  return shown.href;
}

function makeObject({ promises, seconds }: Proof, flags: ProveFlags) {
  const sum = (read: (proved: Proved) => number) => promises.reduce((total, proved) => total + read(proved), 0);
  return {
    schema: 'rowmill.prove/1',
    seed: flags.seed,
    seconds: Math.round(seconds * 10) / 10,
    promises: promises.map(({ name, attacks, fired, broken, breaks, vain }) => {
      const first = breaks[0]?.seed ?? vain[0];
      return { name, attacks, fired, broken, repeat: first === undefined ? null : repeat(name, first, flags) };
    }),
    fired: sum(({ fired }) => fired),
    broken: sum(({ broken }) => broken),
  };
}

function printProof({ promises, seconds }: Proof, flags: ProveFlags, isStopped: boolean): void {
  const rows = promises.map(({ name, attacks, fired, broken, seconds: took }) => [
    name,
    `${attacks} attacks`,
    `${fired} fired`,
    `${broken} broken`,
    `${took.toFixed(1)} s`,
  ]);
  print(
    renderTable(
      [['promise', 'attacks', 'fired', 'broken', 'seconds'], ...rows],
      { maxCells: MAX_CELLS },
      createPaint(hasColour(process.stdout)),
    ),
  );
  for (const { name, breaks, vain } of promises) {
    for (const { seed, violations, folder } of breaks) {
      print(
        `\nBROKEN  ${name}\n${showFirst(violations)
          .map((violation) => `  ${violation}`)
          .join('\n')}`,
      );
      print(`  repeat: ${repeat(name, seed, flags)}\n  kept:   ${folder}`);
    }
    for (const seed of vain)
      print(`\nNOT FIRED  ${name}: the attack did not happen, so it proves nothing\n  repeat: ${repeat(name, seed, flags)}`);
  }
  if (isStopped) print(`Stopped after ${seconds.toFixed(0)} s: only what the table shows is proved`);
  else if (promises.every(isHeld)) print(`Every promise held, in ${seconds.toFixed(0)} s`);
}

function showFirst(violations: readonly string[]): readonly string[] {
  const left = violations.length - SHOWN_VIOLATIONS;
  return left > 0 ? [...violations.slice(0, SHOWN_VIOLATIONS), `and ${left} more`] : violations;
}
