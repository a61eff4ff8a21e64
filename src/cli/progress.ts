import { stripVTControlCharacters } from 'node:util';
import { escapeLineForTerminal } from '../output/escape-for-terminal.ts';
import { formatCount, formatSpent, formatThings } from '../output/format-numbers.ts';
import type { RunView } from '../run/send/run-view.ts';
import { measureCells } from './render/cells.ts';
import { createForecast } from './render/forecast.ts';
import { countCalls, countWaiting, describeOldest, formatDuration, renderProgress } from './render/render-progress.ts';
import { columnsOf, hasColour } from './say.ts';

/**
 * Repaints on a terminal, at most ten times a second. Elsewhere prints a plain line: when another tenth is answered, five seconds after a change of
 * phase, and every thirty seconds.
 */
const REPAINT_MS = 100;
const NEWS_MS = 5_000;
const PLAIN_LINE_MS = 30_000;
const PLAIN_LINES = 10;

/** The progress of a run on a stream. */
export interface Progress {
  /** Erases what is painted, so that a message can be written; the next repaint goes below it. */
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

/** The assumed size of a terminal that does not report one. */
const DEFAULT_COLUMNS = 80;
const DEFAULT_ROWS = 24;
const CLEAR_LINE = '\u001b[2K';
const CLEAR_BELOW = '\u001b[J';

function paint(view: RunView, stream: NodeJS.WriteStream, monotonicMs: () => number): Progress {
  const readForecast = createForecast(view, monotonicMs);
  /** The width of the painted lines, in cells. */
  let painted: readonly number[] = [];
  const readColumns = () => columnsOf(stream) ?? DEFAULT_COLUMNS;
  /** A terminal that has become narrower since has wrapped wide lines again. */
  const countPainted = () => {
    const columns = readColumns();
    return painted.reduce((sum, cells) => sum + Math.max(1, Math.ceil(cells / columns)), 0);
  };
  // Includes the line of the cursor, which may hold a ^C. Line by line: a terminal told to clear its screen keeps a copy in its history.
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
  // A resize signal is handled before the next turn: no line is painted for the old size.
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

/** To the start of the line, where the cursor may follow a ^C shown by the terminal, and up this many lines. */
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
    const skippedRows = view.rows - view.rowsAsked;
    const skipped = skippedRows === 0 ? '' : `${formatCount(skippedRows)} skipped, `;
    const done = `${formatCount(view.okRows)} of ${formatCount(view.rowsAsked)} answered, ${failed}${skipped}${spent}${eta}`;
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

/** Live calls; nothing if none is made or waiting. If answers arrive within milliseconds, there may be none in flight at the moment. */
function describeFlight(view: RunView): readonly string[] {
  const { calls } = view;
  if (calls === null || countCalls(calls) === 0) return [];
  const { inFlight, oldestMs = null } = calls;
  const waiting = countWaiting(view);
  return [
    ...(inFlight === 0 ? [] : [`${formatThings(inFlight, 'call')} in flight${describeOldest(oldestMs)}`]),
    ...(waiting === 0 ? [] : [`${formatCount(waiting)} waiting`]),
  ];
}
