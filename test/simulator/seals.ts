import { hash } from 'node:crypto';
import { ApplicationsService } from '../../src/mls/applications.service.js';
import { MlsService } from '../../src/mls/mls.service.js';
import type { Exchange } from '../support/wire.js';
import type { TestServer } from '../support/server.js';

const digestOf = (message: Uint8Array): string => hash('sha256', message);

/** What servers sealed for their groups, by the place that its key has in MLS. */
export class Seals {
  private readonly places = new Map<string, string>();

  /** From now on, what the server seals is noted. What it forgot over a crash it may seal anew. */
  watch(server: TestServer): void {
    const [applications, mls] = [server.get(ApplicationsService), server.get(MlsService)];
    const seal = applications.seal.bind(applications);
    applications.seal = async (tx, group, messages) => {
      const sealed = await seal(tx, group, messages);
      const { epochAuthenticator } = await mls.view(tx, group);
      for (const { message, speaker, generation } of sealed) {
        this.places.set(digestOf(message), `generation ${generation} of ${speaker} in epoch ${epochAuthenticator}`);
      }
      return sealed;
    };
  }

  /** Places of which two different messages went out. */
  usedTwice(exchanges: readonly Exchange[]): string[] {
    const sent = new Map<string, Set<string>>();
    for (const { what, request } of exchanges) {
      if (what !== 'MLS_APPLICATION') continue;
      const body = JSON.parse(Buffer.from(request.body!).toString()) as Notice;
      const digest = digestOf(Buffer.from(body.notification.federation.content, 'base64url'));
      const place = this.places.get(digest) ?? 'nobody knows where';
      sent.set(place, (sent.get(place) ?? new Set()).add(digest));
    }
    return [...sent].filter(([, digests]) => digests.size > 1).map(([place]) => `two messages are ${place}`);
  }

  get count(): number {
    return this.places.size;
  }
}

interface Notice {
  readonly notification: { readonly federation: { readonly content: string } };
}
