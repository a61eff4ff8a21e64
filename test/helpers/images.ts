/** The beginning of a PNG image, which is all that anybody here looks at. */
export function makePng(width: number, height: number): Buffer {
  const image = Buffer.alloc(33);
  image.write('\x89PNG\r\n\x1a\n', 'latin1');
  image.writeUInt32BE(13, 8);
  image.write('IHDR', 12, 'latin1');
  image.writeUInt32BE(width, 16);
  image.writeUInt32BE(height, 20);
  image.writeUInt8(8, 24);
  return image;
}
