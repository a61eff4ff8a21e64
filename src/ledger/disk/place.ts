import fs from 'node:fs';
import path from 'node:path';
import { readPrivateText, writeFileAtomically } from './durable-files.ts';

/** The location of a state directory, as seen from one host. */
export interface Place {
  readonly host: string;
  /** With links resolved. */
  readonly path: string;
  /** Decimal strings, because both may exceed the range of a number. */
  readonly device: string;
  readonly inode: string;
}

/** How many places are remembered, the latest first: one directory may be seen from a host and from its containers. */
const PLACES_KEPT = 8;
const FILE = 'place';
const MAX_BYTES = 1 << 20;

export function readPlace(directory: string, host: string): Place {
  const { dev, ino } = fs.statSync(directory, { bigint: true });
  return { host, path: fs.realpathSync(directory), device: String(dev), inode: String(ino) };
}

/** The recorded locations of the directory; none if there is no readable record. */
export function readKnownPlaces(directory: string): readonly Place[] {
  try {
    const { places } = JSON.parse(readPrivateText(path.join(directory, FILE), MAX_BYTES) ?? '') as { readonly places: readonly Place[] };
    return places.filter((place) => [place.host, place.path, place.device, place.inode].every((value) => typeof value === 'string'));
  } catch {
    return [];
  }
}

export function keepPlace(directory: string, here: Place, known: readonly Place[], token: string): void {
  const others = known.filter((place) => !isSamePlace(place, here));
  const places = [here, ...others].slice(0, PLACES_KEPT);
  if (JSON.stringify(places) === JSON.stringify(known)) return;
  writeFileAtomically(path.join(directory, FILE), `${JSON.stringify({ places })}\n`, token);
}

/** How a directory relates to its recorded places. */
export type Standing =
  /** It has no recorded place yet. */
  | { readonly status: 'new' }
  | { readonly status: 'known' }
  /** Another directory was here, or it was elsewhere on this host, where nothing of it is left: restored, or moved. */
  | { readonly status: 'moved'; readonly from: Place }
  /** The directory it was made from is still there, or cannot be seen from here. */
  | { readonly status: 'copied'; readonly from: Place; readonly isSeen: boolean };

/**
 * Tells a copy from the directory it was made from. A renamed directory keeps its inode, and one that is mounted again its path or its device
 * number; a directory with neither is a different one.
 * @param isStateAt whether the directory at a path of this host holds the same state
 */
export function judgePlace(here: Place, known: readonly Place[], isStateAt: (path: string) => boolean): Standing {
  const [from] = known;
  if (from === undefined) return { status: 'new' };
  if (known.some((place) => isSamePlace(place, here))) return { status: 'known' };
  if (known.some((place) => place.host === here.host && place.path === here.path)) return { status: 'moved', from };
  const seen = known.find((place) => isStateAt(place.path));
  if (seen !== undefined) return { status: 'copied', from: seen, isSeen: true };
  return known.every(({ host }) => host === here.host) ? { status: 'moved', from } : { status: 'copied', from, isSeen: false };
}

function isSamePlace(a: Place, b: Place): boolean {
  return a.inode === b.inode && (a.device === b.device || a.path === b.path);
}
