import { Outbox } from '../../src/outbox/outbox.service.js';
import type { TestServer } from '../support/server.js';

/** What of a server that does not keep the order of its letters can be seen elsewhere: file keys that come late. */
export class Detours {
  private readonly next = new Map<string, number>();
  private taken = 0;

  /** The next file keys from one server to another go a way of their own, and arrive so much later. */
  lead(from: string, to: string, minutes: number): void {
    this.next.set(`${from} ${to}`, minutes);
  }

  /** Right after a boot. */
  watch(server: TestServer): void {
    const outbox = server.get(Outbox);
    const post = outbox.post.bind(outbox);
    outbox.post = async (tx, letter) => {
      const link = `${server.host} ${letter.to}`;
      const minutes = letter.kind === 'MLS_APPLICATION' ? this.next.get(link) : undefined;
      if (minutes === undefined) return post(tx, letter);
      this.next.delete(link);
      const lane = `${letter.lane} detour ${++this.taken}`;
      const id = await post(tx, { ...letter, lane });
      const due = new Date(server.now.getTime() + minutes * 60_000);
      await tx.query('UPDATE outbox_lane SET due_at = $3 WHERE peer = $1 AND name = $2', [letter.to, lane, due]);
      return id;
    };
  }
}
