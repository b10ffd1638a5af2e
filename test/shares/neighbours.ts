import type { Host } from '../../src/kernel/address.js';
import { utf8 } from '../../src/kernel/bytes.js';
import { isFault } from '../../src/kernel/fault.js';
import type { HttpAnswer } from '../../src/kernel/network.js';
import { parseNotification, type ShareNotification } from '../../src/ocm/notification.js';
import { parseShareNotice } from '../../src/ocm/share-notice.js';
import type { NewLetter, TakenAnswer } from '../../src/outbox/outbox.service.js';
import type { ReceivingService } from '../../src/shares/receiving.service.js';
import { oauthError } from '../../src/tokens/oauth-error.js';
import { tokenForm } from '../../src/tokens/token-form.js';
import type { TokensService } from '../../src/tokens/tokens.service.js';

/** A letter about a share reaches its server. */
export async function hand(
  from: Host,
  to: ReceivingService,
  letter: NewLetter,
): Promise<Pick<TakenAnswer, 'outcome' | 'status'>> {
  const body: unknown = JSON.parse(JSON.stringify(letter.body));
  try {
    if (letter.endpoint === 'shares') await to.receive(from, parseShareNotice(body));
    else await to.unshared(from, parseNotification(body) as ShareNotification);
    return { outcome: 'delivered', status: 201 };
  } catch (error) {
    if (!isFault(error)) throw error;
    return { outcome: error.retry ? 'dead' : 'refused', status: error.status };
  }
}

interface TokenRequest {
  readonly from: Host;
  readonly peer: Host;
  readonly url: string;
  readonly form: Record<string, string>;
}

/** What the token endpoint of a neighbour answers. */
export async function askForToken(tokens: TokensService, { from, peer, url, form }: TokenRequest): Promise<HttpAnswer> {
  if (url !== `https://${peer}/ocm/token`) throw new Error(`unexpected ${url}`);
  try {
    return answer(200, await tokens.exchange(from, tokenForm('application/x-www-form-urlencoded', form)));
  } catch (error) {
    const { status, error: code } = oauthError(error);
    return answer(status, { error: code });
  }
}

const answer = (status: number, body: object): HttpAnswer => ({
  status,
  headers: {},
  body: utf8(JSON.stringify(body)),
});
