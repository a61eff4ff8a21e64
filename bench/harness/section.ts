import { renderTable } from '../benchmarks-page.ts';
import type { KeptLine, Passage, Ratio } from './figures.ts';
import { findBroken, isMissed, sayBound } from './judge.ts';
import type { Bench, Figure } from './line.ts';

const HEADER = ['what', 'CPU', 'wall', 'against', 'CPU', 'wall', 'CPU, small size', 'peak memory', 'besides'];

/** A bench's section of docs/benchmarks.md. */
export function renderSection(name: string, bench: Bench, full: Passage, small: Passage | null): string {
  const { rows, node, on, cores, load, minutes } = full;
  const machine = `${on}, Node ${node.slice(1)}, ${cores} cores${load === null ? '' : `, load ${load} when it began`}, took ${minutes} ${minutes === 1 ? 'minute' : 'minutes'}`;
  const size = rows === 0 ? '' : ` ${formatCount(rows)} rows.`;
  const smallSize =
    small === null
      ? 'CI leaves it out.'
      : `The small size is of ${formatCount(small.rows)} rows (${small.on}${small.load === null ? '' : `, load ${small.load}`}).`;
  const table = renderLines(bench, full, small);
  const missed = findBroken(full).length;
  const note = missed === 0 ? '' : `\n\nLimits missed: ${missed}${(load ?? 0) > cores ? ', on a machine busy with other work' : ''}.`;
  return `\`npm run bench -- --only ${name}${rows === bench.rows.full ? '' : ` --rows ${rows} --write`}\`: ${machine}.${size} ${smallSize}\n${bench.introduction}\n\n${table}${note}`;
}

/** The same for the terminal. */
export function renderPassage(bench: Pick<Bench, 'columns'>, passage: Passage): string {
  return renderLines(bench, passage, null);
}

function renderLines({ columns }: Pick<Bench, 'columns'>, { lines }: Passage, small: Passage | null): string {
  if (columns !== undefined)
    return renderTable(
      ['what', ...columns, 'took', 'besides'],
      lines.map((line) => renderFigures(line, columns)),
    );
  return renderTable(
    HEADER,
    lines.map((line) => renderLine(line, small)),
  );
}

function renderFigures({ what, measured, figures, facts }: KeptLine, columns: readonly string[]): readonly string[] {
  const cells = columns.map((column) => {
    const figure = figures.find(({ of }) => of === column);
    return figure === undefined ? '' : `${figure.value}${renderBound(figure)}`;
  });
  return [what, ...cells, renderSeconds(measured?.wallSeconds), facts];
}

function renderSeconds(value: number | null | undefined): string {
  return value == null ? '' : value < 1 ? `${(value * 1000).toFixed(0)} ms` : `${value.toFixed(1)} s`;
}

function renderBound(figure: Pick<Figure, 'value' | 'most' | 'least'>): string {
  const bound = sayBound(figure);
  return bound === '' ? '' : ` (${bound}${isMissed(figure) ? ': **missed**' : ''})`;
}

function renderLine(line: KeptLine, small: Passage | null): readonly string[] {
  const { what, measured, against, mostRssMib, figures, facts } = line;
  const cell = (render: (ratio: Ratio) => string) => against.map(render).join('<br>');
  const most = (limit: number | null, value: number) => renderBound({ value, most: limit });
  const memory = measured?.peakRssMib == null ? '' : `${measured.peakRssMib} MiB${most(mostRssMib, measured.peakRssMib)}`;
  return [
    what,
    renderSeconds(measured?.cpuSeconds),
    renderSeconds(measured?.wallSeconds),
    cell((ratio) => ratio.what),
    cell(({ cpu, mostCpu }) => (cpu === null ? '' : `${cpu.toFixed(2)} x${most(mostCpu, cpu)}`)),
    cell(({ wall }) => `${wall.toFixed(2)} x`),
    cell((ratio) => renderSmall(line, ratio, small)),
    memory,
    [...figures.map((figure) => `${figure.value} ${figure.of}${renderBound(figure)}`), ...(facts === '' ? [] : [facts])].join('<br>'),
  ];
}

function renderSmall({ what }: KeptLine, { what: baseline }: Ratio, small: Passage | null): string {
  const cpu = small?.lines.find((line) => line.what === what)?.against.find((ratio) => ratio.what === baseline)?.cpu;
  return cpu == null ? '' : `${cpu.toFixed(2)} x`;
}

function formatCount(rows: number): string {
  return rows.toLocaleString('en-US');
}
