import type { Rendered } from '../../core/request.ts';
import type { Row } from '../../core/row.ts';
import type { Condition } from './compile-where.ts';

const NOT_MET: Rendered = { status: 'skipped', cause: 'where', message: 'does not match input.where' };

/** Whether a row is never sent, whatever the prompt is. */
export function isPassedOver({ bad, cells }: Row, where: Condition | null): boolean {
  return bad !== undefined || (where !== null && !where.isMet(cells));
}

/** The same rendering, except for records that cannot be read and rows that do not match. */
export function passOver(where: Condition | null, render: (row: Row) => Rendered): (row: Row) => Rendered {
  return (row) => {
    if (row.bad !== undefined) return { status: 'skipped', cause: 'bad_row', message: row.bad };
    return where === null || where.isMet(row.cells) ? render(row) : NOT_MET;
  };
}
