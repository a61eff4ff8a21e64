import type { Job } from '../../core/job.ts';
import { formatCount } from '../../core/wording/format-count.ts';
import { splitImages } from './body-images.ts';
import { countImageTokens, mostImageTokens } from './image-tokens.ts';

/**
 * A budget reserves for a request its bytes as tokens, and for each image the job names the most an image can count. A glob may match many images that
 * are small in bytes and dear in tokens, and so are pages of a PDF: says so where they can count more than is reserved; null where they cannot.
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
