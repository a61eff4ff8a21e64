/** The chunks of a stream; once the signal is aborted its reason is thrown, in place of the stream's own error. */
export async function* untilAborted<Chunk>(open: () => AsyncIterable<Chunk>, signal: AbortSignal): AsyncGenerator<Chunk> {
  // A stream opened too late fails where nobody listens.
  signal.throwIfAborted();
  try {
    yield* open();
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}
