import type { BatchAction, FileIdView } from '../faults/fault-plan.ts';
import type { Simulation } from '../simulation.ts';
import type { BatchRecord } from '../store.ts';
import { isTerminal, type WireBatch } from '../wire-objects.ts';
import { NO_BATCH_USAGE } from './batch-output.ts';

/** A batch as currently seen by a client: unset fields by the simulator's option, the rest as distorted by its faults. `looks` counts retrievals since its end. */
export function viewBatch(simulation: Simulation, record: BatchRecord, looks: number): Readonly<Record<string, unknown>> {
  let view: Record<string, unknown> = { ...record.wire };
  for (const fault of record.faults) view = { ...view, ...distort(fault, record, { nowMs: simulation.clock.now(), looks }) };
  return renderUnset(view, simulation.unsetFields);
}

interface Moment {
  readonly nowMs: number;
  readonly looks: number;
}

/** The fields changed by a fault. */
function distort(fault: BatchAction, { wire, finishedAtMs }: BatchRecord, { nowMs, looks }: Moment): Readonly<Record<string, unknown>> {
  switch (fault.type) {
    case 'dropMetadata':
      return { metadata: null };
    case 'showStatus':
      return wire.status === 'in_progress' ? { status: fault.status } : {};
    case 'goBack':
      return isTerminal(wire.status) && looks > 1 && looks <= 1 + fault.times ? beforeTheEnd(wire) : {};
    case 'counts':
      return { request_counts: fault.counts };
    case 'noUsage':
      return { usage: null };
    case 'zeroUsage':
      return { usage: NO_BATCH_USAGE };
    case 'world':
      return viewAsShape(fault.body, wire);
    case 'fileIds': {
      const isLate = finishedAtMs === null || nowMs < finishedAtMs + fault.lateMs;
      return {
        output_file_id: viewFileId(wire.output_file_id, fault.output, isLate),
        error_file_id: viewFileId(wire.error_file_id, fault.error, isLate),
      };
    }
    default:
      return {};
  }
}

/** Whether a shape describes a batch that fails validation. */
export function isFailedShape({ status }: Readonly<Record<string, unknown>>): boolean {
  return String(status).toLowerCase() === 'failed';
}

/** The shape once the batch has reached its status, with the batch's own ids; fields that the shape lacks are left out. */
function viewAsShape(body: Readonly<Record<string, unknown>>, wire: WireBatch): Readonly<Record<string, unknown>> {
  const status = String(body.status).toLowerCase();
  const isDue = isFailedShape(body)
    ? wire.status === 'failed'
    : isTerminal(status as WireBatch['status'])
      ? isTerminal(wire.status)
      : wire.status === 'in_progress';
  if (!isDue) return {};
  const others = Object.fromEntries(Object.keys(wire).map((name) => [name, undefined]));
  const fileId = (told: unknown, own: string | null) => (typeof told === 'string' && told !== '' ? own : told);
  return {
    ...others,
    ...body,
    id: wire.id,
    input_file_id: wire.input_file_id,
    output_file_id: fileId(body.output_file_id, wire.output_file_id),
    error_file_id: fileId(body.error_file_id, wire.error_file_id),
  };
}

function viewFileId(id: string | null, view: FileIdView | undefined, isLate: boolean): string | null | undefined {
  switch (view) {
    case 'null':
      return null;
    case 'empty':
      return '';
    case 'omitted':
      return undefined;
    case 'late':
      return isLate ? null : id;
    default:
      return id;
  }
}

function beforeTheEnd(wire: WireBatch): Readonly<Record<string, unknown>> {
  const instants = { completed_at: null, expired_at: null, cancelled_at: null, failed_at: null };
  return { ...wire, ...instants, status: 'in_progress', output_file_id: null, error_file_id: null };
}

/** On the wire an unset field is null, though the published types say it may be absent; gateways send "" or leave it out. */
function renderUnset(view: Record<string, unknown>, unset: Simulation['unsetFields']): Readonly<Record<string, unknown>> {
  if (unset === 'omitted') return Object.fromEntries(Object.entries(view).filter(([, value]) => value !== null));
  if (unset === 'empty') return { ...view, output_file_id: view.output_file_id ?? '', error_file_id: view.error_file_id ?? '' };
  return view;
}
