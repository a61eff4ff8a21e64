/** The same chunks; where the signal is aborted its reason is thrown, which a stream would say in words of its own. */
export async function* untilAborted<Chunk>(chunks: AsyncIterable<Chunk>, signal: AbortSignal): AsyncGenerator<Chunk> {
  try {
    yield* chunks;
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}
