import { Fault } from '../kernel/fault.js';

/** A body of at most so many bytes; no more than that is ever held. Throws `body.too-large`. */
export async function boundedBody(chunks: AsyncIterable<unknown>, most: number): Promise<Uint8Array> {
  const held: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunks as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    if (length > most) throw new Fault('body.too-large', { most });
    held.push(chunk);
  }
  return Buffer.concat(held);
}
