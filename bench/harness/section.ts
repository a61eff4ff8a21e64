import { renderTable } from '../benchmarks-page.ts';
import type { KeptLine, Passage, Ratio } from './figures.ts';
import { findBroken } from './judge.ts';
import type { Bench } from './line.ts';

const HEADER = ['what', 'CPU', 'wall', 'against', 'CPU', 'wall', 'CPU, small size', 'peak memory', 'besides'];

/** A bench's section of docs/benchmarks.md. */
export function renderSection(name: string, bench: Bench, full: Passage, small: Passage | null): string {
  const { rows, node, on, cores, load, minutes } = full;
  const machine = `${on}, Node ${node.slice(1)}, ${cores} cores, load ${load} when it began, took ${minutes} ${minutes === 1 ? 'minute' : 'minutes'}`;
  const size = rows === 0 ? '' : ` ${formatCount(rows)} rows.`;
  const smallSize =
    small === null ? 'CI leaves it out.' : `The small size is of ${formatCount(small.rows)} rows (${small.on}, load ${small.load}).`;
  const table = renderTable(
    HEADER,
    full.lines.map((line) => renderLine(line, small)),
  );
  const missed = findBroken(full).length;
  const note = missed === 0 ? '' : `\n\nLimits missed: ${missed}${load > cores ? ', on a machine busy with other work' : ''}.`;
  return `\`npm run bench -- --only ${name}${rows === bench.rows.full ? '' : ` --rows ${rows} --write`}\`: ${machine}.${size} ${smallSize}\n${bench.introduction}\n\n${table}${note}`;
}

/** The same for the terminal. */
export function renderPassage(passage: Passage): string {
  return renderTable(
    HEADER,
    passage.lines.map((line) => renderLine(line, null)),
  );
}

function renderLine(line: KeptLine, small: Passage | null): readonly string[] {
  const { what, measured, against, mostRssMib, figures, facts } = line;
  const seconds = (value: number | null | undefined) =>
    value == null ? '' : value < 1 ? `${(value * 1000).toFixed(0)} ms` : `${value.toFixed(1)} s`;
  const cell = (render: (ratio: Ratio) => string) => against.map(render).join('<br>');
  const most = (limit: number | null, value: number) =>
    limit === null ? '' : value > limit ? ` (at most ${limit}: **missed**)` : ` (at most ${limit})`;
  const memory = measured?.peakRssMib == null ? '' : `${measured.peakRssMib} MiB${most(mostRssMib, measured.peakRssMib)}`;
  return [
    what,
    seconds(measured?.cpuSeconds),
    seconds(measured?.wallSeconds),
    cell((ratio) => ratio.what),
    cell(({ cpu, mostCpu }) => (cpu === null ? '' : `${cpu.toFixed(2)} x${most(mostCpu, cpu)}`)),
    cell(({ wall }) => `${wall.toFixed(2)} x`),
    cell((ratio) => renderSmall(line, ratio, small)),
    memory,
    [...figures.map(({ value, of, most: limit }) => `${value} ${of}${most(limit, value)}`), ...(facts === '' ? [] : [facts])].join('<br>'),
  ];
}

function renderSmall({ what }: KeptLine, { what: baseline }: Ratio, small: Passage | null): string {
  const cpu = small?.lines.find((line) => line.what === what)?.against.find((ratio) => ratio.what === baseline)?.cpu;
  return cpu == null ? '' : `${cpu.toFixed(2)} x`;
}

function formatCount(rows: number): string {
  return rows.toLocaleString('en-US');
}
