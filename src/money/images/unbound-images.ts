import type { Job } from '../../core/job.ts';
import { formatCount } from '../../core/wording/format-count.ts';
import { splitImages } from './body-images.ts';
import { countImageTokens, mostImageTokens } from './image-tokens.ts';

/**
 * A budget reserves for a request its bytes as tokens, and for each image of the job the maximum per image. A glob may match many images that
 * are small in bytes and expensive in tokens, and so may be pages of a PDF: returns a sentence if they can count more than is reserved; null if they cannot.
 */
export function describeUnboundImages(
  { model, messages, requests }: Pick<Job, 'model' | 'messages' | 'requests'>,
  body: string,
): string | null {
  const most = mostImageTokens(model);
  if (most === null || requests !== undefined) return null;
  const { text, images } = splitImages(body);
  if (images.length === 0) return null;
  const named = messages.reduce((sum, message) => sum + (message.images?.length ?? 0), 0);
  const { tokens, unsizedTokens } = countImageTokens(model, images);
  const counted = Buffer.byteLength(text) + tokens + unsizedTokens;
  const reserved = Buffer.byteLength(body) + named * most;
  if (counted <= reserved) return null;
  return `the images and files of the next row can count ${formatCount(counted)} tokens with ${model}, and a budget reserves ${formatCount(reserved)}: it cannot be kept for them. Send fewer, or at detail: low, ask another model, or leave the budget out`;
}
