import fs from 'node:fs';
import path from 'node:path';
import { isLinkLocalAddress } from '../../core/bounds/private-address.ts';
import { readImageHeader } from '../../core/image-header.ts';
import type { SkipCause } from '../../core/row.ts';

/** Why a row's image cannot be sent: the row is skipped with this cause. */
export class ImageProblem extends Error {
  readonly skipCause: SkipCause;
  constructor(skipCause: SkipCause, message: string) {
    super(message);
    this.skipCause = skipCause;
  }
}

/** The maximum of a request with images (OpenAI's guide to vision: 50 MB; seen 2026-11-21, not confirmed). */
export const MAX_IMAGE_REQUEST_BYTES = 50_000_000;
/** Base64 turns three bytes into four. */
const MAX_IMAGE_BYTES = (MAX_IMAGE_REQUEST_BYTES / 4) * 3;

/**
 * The URL under which an image is sent: web addresses and data URLs unchanged, a local file as a data URL.
 * @param root local paths are relative to it and must not lead out of it, not even by links: a cell may come from anywhere
 * @throws ImageProblem if there is no such file, it is not a PNG, JPEG, GIF or WebP image, or the URL is one that must not be used
 */
export function makeImageUrl(value: string, root: string): string {
  if (/^https?:\/\//i.test(value)) return checkAddress(value);
  if (/^data:/i.test(value)) return checkDataUrl(value);
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(value)) {
    throw new ImageProblem('unrenderable', `the image ${show(value)}: an address is http or https, anything else is a path`);
  }
  return readImageFile(value, root);
}

function checkAddress(value: string): string {
  if (!URL.canParse(value)) throw new ImageProblem('unrenderable', `the image ${show(value)}: not a URL`);
  const { hostname, username, password } = new URL(value);
  if (username !== '' || password !== '') {
    throw new ImageProblem(
      'unrenderable',
      `the image at ${hostname}: its address contains a user or a password, which would be sent to the provider`,
    );
  }
  if (isLinkLocalAddress(hostname) || CREDENTIAL_HOSTS.test(hostname)) {
    throw new ImageProblem('unrenderable', `the image ${show(value)}: ${hostname} is where clouds hand out credentials, not images`);
  }
  return value;
}

/** The names of services at link-local addresses (Google, Alibaba and others; seen 2026-11-29). */
const CREDENTIAL_HOSTS = /^(metadata|metadata\.google\.internal|metadata\.goog|instance-data(\.ec2\.internal)?|100\.100\.100\.200)\.?$/;

const DATA_URL = /^data:image\/(png|jpeg|gif|webp);base64,/i;
/** Enough for the type, and for the size of nearly all images. */
const HEADER_CHARACTERS = 65_536;

function checkDataUrl(value: string): string {
  const start = DATA_URL.exec(value.slice(0, 40))?.[0].length;
  if (start === undefined) {
    throw new ImageProblem('unrenderable', `the image ${show(value)}: a data URL must contain a PNG, JPEG, GIF or WebP image in base64`);
  }
  const header = readImageHeader(Buffer.from(value.slice(start, start + HEADER_CHARACTERS), 'base64'));
  if (header === null && readImageHeader(Buffer.from(value.slice(start), 'base64')) === null) {
    throw new ImageProblem('unrenderable', `the image ${show(value)}: not a PNG, JPEG, GIF or WebP image`);
  }
  return value;
}

/**
 * A local file as a data URL. Chat completions accept only PDF, responses more (developers.openai.com/api/docs/guides/file-inputs, seen 2026-11-29).
 * @throws ImageProblem, as for images
 */
export function makeFileUrl(value: string, root: string): string {
  if (/^[a-z][a-z0-9+.-]+:/i.test(value))
    throw new ImageProblem('unrenderable', `the file ${show(value)}: name a path; addresses are not fetched`);
  return readFile(
    value,
    root,
    'file',
    (bytes) => (bytes.toString('latin1', 0, 5) === '%PDF-' ? 'application/pdf' : null),
    'not a PDF; texts go into the prompt as {{ text }}, images into prompt.images',
  );
}

function readImageFile(value: string, root: string): string {
  const tellType = (bytes: Buffer) => {
    const header = readImageHeader(bytes);
    return header === null ? null : `image/${header.type}`;
  };
  return readFile(value, root, 'image', tellType, 'not a PNG, JPEG, GIF or WebP image');
}

function readFile(value: string, root: string, noun: 'image' | 'file', tellType: (bytes: Buffer) => string | null, whyNot: string): string {
  const file = path.resolve(root, value);
  const fail = (cause: SkipCause, why: string): never => {
    throw new ImageProblem(cause, `the ${noun} ${show(value)}: ${why}`);
  };
  if (isOutside(root, file)) fail('unrenderable', `outside of ${root}; name its folder in the job: ${noun}s: ["folder/{{ column }}"]`);
  let bytes: Buffer;
  try {
    const real = fs.realpathSync(file);
    if (isOutside(fs.realpathSync(root), real))
      fail('unrenderable', `a link leads it out of ${root}, to ${real}; name that folder in the job`);
    const stats = fs.statSync(real);
    if (!stats.isFile()) fail('unrenderable', 'no file');
    if (stats.size > MAX_IMAGE_BYTES) fail('too_large', `${stats.size} bytes; at most ${MAX_IMAGE_BYTES} are taken`);
    bytes = fs.readFileSync(real);
  } catch (error) {
    if (error instanceof ImageProblem) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    return fail('unrenderable', code === 'ENOENT' ? `no such file (${file})` : `cannot be read (${code ?? message})`);
  }
  const type = tellType(bytes);
  return type === null ? fail('unrenderable', whyNot) : `data:${type};base64,${bytes.toString('base64')}`;
}

function isOutside(root: string, file: string): boolean {
  const way = path.relative(root, file);
  return way.split(path.sep)[0] === '..' || path.isAbsolute(way);
}

/** Row text in a message is kept short. */
function show(value: string): string {
  return JSON.stringify(value.length > 80 ? `${value.slice(0, 60)}…` : value);
}
