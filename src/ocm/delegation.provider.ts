import { Injectable } from '@nestjs/common';
import type { Jwk } from './jwk-set.js';

/** A server that issues tokens in the name of this one. OCM-IP, Delegating the Token Endpoint */
export interface TokenServer {
  readonly tokenEndPoint: string;
  /** Its public keys, under `kid`s of this server's domain. */
  readonly keys: readonly Jwk[];
}

/** Who else issues tokens, as far as it is published. */
@Injectable()
export class Delegation {
  tokenServer: TokenServer | undefined;
}
