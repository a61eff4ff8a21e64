import { stripVTControlCharacters } from 'node:util';
import { escapeLineForTerminal } from '../output/escape-for-terminal.ts';
import { formatCount, formatSpent } from '../output/format-numbers.ts';
import type { RunView } from '../run/send/run-view.ts';
import { measureCells } from './render/cells.ts';
import { createForecast } from './render/forecast.ts';
import { countCalls, countWaiting, describeOldest, formatDuration, renderProgress } from './render/render-progress.ts';
import { columnsOf, hasColour } from './say.ts';

/**
 * Repaints on a terminal, ten times a second at most. Elsewhere a plain line: when a tenth more is answered, five seconds after anything has come
 * into another phase, and every thirty.
 */
const REPAINT_MS = 100;
const NEWS_MS = 5_000;
const PLAIN_LINE_MS = 30_000;
const PLAIN_LINES = 10;

/** A run's progress on a stream. */
export interface Progress {
  /** Takes what is painted off the screen, so that a message can be written; the next repaint comes below it. */
  clear(): void;
  stop(): void;
}

/** Shows a run's progress until it is stopped. */
export function startProgress(
  view: RunView,
  how: 'auto' | 'plain' | 'none',
  stream: NodeJS.WriteStream,
  monotonicMs = () => performance.now(),
): Progress {
  if (how === 'none') return { clear() {}, stop() {} };
  const isTerminal = how === 'auto' && stream.isTTY === true;
  return isTerminal ? paint(view, stream, monotonicMs) : writeLines(view, stream, monotonicMs);
}

/** What a terminal is taken for that does not say how large it is. */
const DEFAULT_COLUMNS = 80;
const DEFAULT_ROWS = 24;
const CLEAR_LINE = '\u001b[2K';
const CLEAR_BELOW = '\u001b[J';

function paint(view: RunView, stream: NodeJS.WriteStream, monotonicMs: () => number): Progress {
  const readForecast = createForecast(view, monotonicMs);
  /** How wide the painted lines are, in cells. */
  let painted: readonly number[] = [];
  const readColumns = () => columnsOf(stream) ?? DEFAULT_COLUMNS;
  /** A terminal that has become narrower since has broken wide lines anew. */
  const countPainted = () => {
    const columns = readColumns();
    return painted.reduce((sum, cells) => sum + Math.max(1, Math.ceil(cells / columns)), 0);
  };
  // With the line of the cursor, where a ^C may stand. Line by line: a terminal that is told to clear all it shows keeps a copy of that in its history.
  const erase = () => {
    const lines = countPainted();
    if (lines > 0) stream.write(`\r${CLEAR_LINE}${moveUp(lines)}${Array(lines).fill(CLEAR_LINE).join('\n')}${moveUp(lines - 1)}`);
    painted = [];
  };
  const repaint = () => {
    const rows = (stream.rows ?? DEFAULT_ROWS) - 1;
    const lines = renderProgress(view, readForecast(), { now: new Date(), columns: readColumns(), rows, colour: hasColour(stream) });
    stream.write(`${moveUp(countPainted())}${lines.map((line) => `${CLEAR_LINE}${line}\n`).join('')}${CLEAR_BELOW}`);
    painted = lines.map((line) => measureCells(stripVTControlCharacters(line)));
  };
  repaint();
  // A signal that tells of another size is taken in before the next turn: no line is painted for the size of before.
  let turn: NodeJS.Immediate | undefined;
  const timer = setInterval(() => {
    turn = setImmediate(repaint);
  }, REPAINT_MS);
  stream.on('resize', repaint);
  return {
    clear: erase,
    stop() {
      clearInterval(timer);
      clearImmediate(turn);
      stream.off('resize', repaint);
      erase();
    },
  };
}

/** To the beginning of the line, where the cursor may stand behind a ^C that the terminal has shown, and so many lines up. */
function moveUp(lines: number): string {
  return lines === 0 ? '\r' : `\r\u001b[${lines}A`;
}

function writeLines(view: RunView, stream: NodeJS.WriteStream, monotonicMs: () => number): Progress {
  const readForecast = createForecast(view, monotonicMs);
  let dueMs = Number.POSITIVE_INFINITY;
  let knownPhases: string | null = null;
  let writtenTenths = 0;
  const look = () => {
    const tenths = view.rowsAsked === 0 ? 0 : Math.floor(((view.okRows + view.failedRows) / view.rowsAsked) * PLAIN_LINES);
    const phases = view.underWay.map(
      ({ shard, phase, batch }) => `${shard === null ? 'extra batch' : `batch file ${shard}`} ${batch?.status ?? phase}`,
    );
    const flight = describeFlight(view);
    const { etaMs } = readForecast();
    const nowMs = monotonicMs();
    const phasesNow = [...phases, flight.length > 0].join();
    if (phasesNow !== knownPhases) dueMs = Math.min(dueMs, nowMs + NEWS_MS);
    knownPhases = phasesNow;
    if (tenths <= writtenTenths && nowMs < dueMs) return;
    writtenTenths = tenths;
    dueMs = nowMs + PLAIN_LINE_MS;
    const spent = formatSpent(view.spentNanoUsd, view.unpricedAttempts);
    const what = [...phases.slice(0, 3), ...flight, ...view.waits.slice(0, 3)];
    const eta = etaMs === null ? '' : `, eta ${formatDuration(etaMs)}`;
    const failed = view.failedRows === 0 ? '' : `${formatCount(view.failedRows)} failed, `;
    const done = `${formatCount(view.okRows)} of ${formatCount(view.rowsAsked)} answered, ${failed}${spent}${eta}`;
    const line = `${done}${what.length > 0 ? `; ${what.join(', ')}` : ''}`;
    stream.write(`${escapeLineForTerminal(line)}\n`);
  };
  const timer = setInterval(look, REPAINT_MS);
  return {
    clear() {},
    stop() {
      clearInterval(timer);
    },
  };
}

/** Live calls; nothing where none is made or waits. */
function describeFlight(view: RunView): readonly string[] {
  const { calls } = view;
  if (calls === null || countCalls(calls) === 0) return [];
  const { inFlight, oldestMs = null } = calls;
  return [
    `${formatCount(inFlight)} ${inFlight === 1 ? 'call' : 'calls'} in flight${describeOldest(oldestMs)}`,
    `${formatCount(countWaiting(view))} waiting`,
  ];
}
