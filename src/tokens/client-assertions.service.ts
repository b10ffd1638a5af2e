import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { createLocalJWKSet, decodeJwt, errors, jwtVerify } from 'jose';
import { z } from 'zod';
import { Clock } from '../kernel/clock.js';
import { Fault } from '../kernel/fault.js';
import { ReplayRepository } from '../ocm/replay.repository.js';
import { Config } from '../platform/config.js';
import { TransactionService } from '../platform/transaction.service.js';
import { issuerOf } from './access-token.js';
import { ASSERTION_ALGORITHMS } from './pairing.js';
import { PairingRepository } from './pairing.repository.js';

/** It is made for one request. */
const LONGEST_LIFE_MS = 600_000;

/** RFC 7521 section 4.2 */
const form = z.object({
  client_assertion_type: z.literal('urn:ietf:params:oauth:client-assertion-type:jwt-bearer'),
  client_assertion: z.string().min(1).max(8192),
});
const claims = z.object({ sub: z.string().min(1).max(255), exp: z.number(), jti: z.string().min(1).max(512) });

/** Knows protocol servers by JWTs that they signed (`private_key_jwt`). RFC 7523 section 2.2, D-24a */
@Injectable()
export class ClientAssertionsService {
  constructor(
    private readonly config: Config,
    private readonly clock: Clock,
    private readonly db: TransactionService,
    private readonly pairings: PairingRepository,
    private readonly replays: ReplayRepository,
  ) {}

  /**
   * Whose assertion a request shows; undefined where it shows none. It is signed with a key of the pairing, issuer and
   * subject are the client, this server or its endpoint is meant, it is good for ten minutes at most, and it is shown once.
   * RFC 7523 section 3. Throws `introspection.stranger`.
   */
  async clientOf(body: unknown): Promise<string | undefined> {
    const read = form.safeParse(body);
    if (!read.success) return undefined;
    const assertion = read.data.client_assertion;
    try {
      const { sub: clientId } = claims.parse(decodeJwt(assertion));
      const { jti, exp } = await this.verified(assertion, clientId);
      const shown = createHash('sha256').update(`client assertion\0${clientId}\0${jti}`).digest();
      const isNew = await this.db.statement((tx) => this.replays.remember(tx, shown, new Date(exp * 1000)));
      if (!isNew) throw new errors.JWTInvalid('it was shown before');
      return clientId;
    } catch (error) {
      if (!(error instanceof errors.JOSEError) && !(error instanceof z.ZodError)) throw error;
      const reason = error instanceof errors.JOSEError ? error.message : 'claims';
      throw new Fault('introspection.stranger', { method: 'private_key_jwt', reason }, error);
    }
  }

  private async verified(assertion: string, clientId: string): Promise<z.output<typeof claims>> {
    const jwks = await this.db.statement((tx) => this.pairings.keysOf(tx, clientId));
    if (!jwks) throw new errors.JWTInvalid('no such client');
    const { endPoint, publicUrl, domain } = this.config;
    const at = this.clock.now();
    const { payload } = await jwtVerify(assertion, createLocalJWKSet({ keys: [...jwks.keys] }), {
      issuer: clientId,
      subject: clientId,
      audience: [issuerOf(publicUrl, domain), `${endPoint}/introspect`],
      algorithms: [...ASSERTION_ALGORITHMS],
      currentDate: at,
    });
    const said = claims.parse(payload);
    if (said.exp * 1000 > at.getTime() + LONGEST_LIFE_MS) throw new errors.JWTInvalid('it lives too long');
    return said;
  }
}
