import { createPrivateKey, createPublicKey, type ED25519KeyPairOptions, generateKeyPairSync } from 'node:crypto';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import { toHex } from '../kernel/bytes.js';
import { Clock } from '../kernel/clock.js';
import { Dice } from '../kernel/dice.js';
import { Config } from '../platform/config.js';
import { TransactionService, type Tx } from '../platform/transaction.service.js';
import { Vault } from '../platform/vault.service.js';
import type { Jwk, JwkSet } from './jwk-set.js';
import type { SigningKey } from './message-signing.js';
import { ServerKeyRepository, type KeyKind, type ServerKeyRow } from './server-key.repository.js';

/** HTTP signatures are Ed25519 always; common validators of tokens refuse it. D-23 */
const HTTP_ALGORITHM = 'Ed25519';
const RSA_BITS = 3072;

type Made = typeof HTTP_ALGORITHM | Config['tokenAlgorithm'];

/** As bytes: a key object that comes from here may hang for ever in an `export` as JWK (Node 20, garbage collection). */
const DER: ED25519KeyPairOptions<'der', 'der'> = {
  publicKeyEncoding: { type: 'spki', format: 'der' },
  privateKeyEncoding: { type: 'pkcs8', format: 'der' },
};

function generate(alg: Made): { publicKey: Buffer; privateKey: Buffer } {
  if (alg === 'Ed25519') return generateKeyPairSync('ed25519', DER);
  if (alg === 'ES256') return generateKeyPairSync('ec', { namedCurve: 'P-256', ...DER });
  return generateKeyPairSync('rsa', { modulusLength: RSA_BITS, ...DER });
}

const purpose = (kid: string) => `server_key.private:${kid}`;

interface Held {
  readonly http: SigningKey;
  readonly token: SigningKey;
  readonly published: JwkSet;
}

/** The keys of this server: made at its first start, held in memory, read anew now and then. */
@Injectable()
export class ServerKeysService implements OnModuleInit {
  private held: Held | undefined;

  constructor(
    private readonly keys: ServerKeyRepository,
    private readonly transactions: TransactionService,
    private readonly vault: Vault,
    private readonly config: Config,
    private readonly clock: Clock,
    private readonly dice: Dice,
  ) {}

  async onModuleInit(): Promise<void> {
    await this.ensure('http', HTTP_ALGORITHM);
    await this.ensure('token', this.config.tokenAlgorithm);
    await this.load();
  }

  /** Signs messages. */
  get http(): SigningKey {
    return this.loaded.http;
  }

  /** Signs access tokens. */
  get token(): SigningKey {
    return this.loaded.token;
  }

  /** Every key that others may need to verify what we signed or will sign. */
  get published(): JwkSet {
    return this.loaded.published;
  }

  /** Takes over what other replicas changed. */
  async load(): Promise<void> {
    const rows = await this.transactions.run((tx) => this.keys.published(tx));
    const signing = (kind: KeyKind): SigningKey => {
      const row = rows.find((found) => found.kind === kind && found.state === 'current');
      if (!row) throw new Error(`there is no current key of kind ${kind}`);
      return this.open(row);
    };
    const published = { keys: rows.map((row) => row.publicJwk) };
    this.held = { http: signing('http'), token: signing('token'), published };
  }

  private get loaded(): Held {
    if (!this.held) throw new Error('the keys of the server are not loaded yet');
    return this.held;
  }

  /** One current key of the kind, of this algorithm and domain, whichever replica made it. */
  private ensure(kind: KeyKind, alg: Made): Promise<void> {
    return this.transactions.run(async (tx: Tx) => {
      const current = await this.keys.current(tx, kind);
      if (current?.alg === alg && current.kid.startsWith(`${this.config.domain}#`)) return;
      if (current) await this.keys.retire(tx, current.kid, this.clock.now());
      await this.keys.add(tx, this.make(kind, alg));
    });
  }

  private make(kind: KeyKind, alg: Made): ServerKeyRow {
    const kid = `${this.config.domain}#${kind}-${toHex(this.dice.bytes(4))}`;
    const { publicKey, privateKey } = generate(alg);
    const published = createPublicKey({ key: publicKey, format: 'der', type: 'spki' });
    return {
      kid,
      kind,
      alg,
      state: 'current',
      publicJwk: { ...published.export({ format: 'jwk' }), kid, alg, use: 'sig' } as Jwk,
      privateSealed: Buffer.from(this.vault.seal(privateKey, purpose(kid))),
      createdAt: this.clock.now(),
      retiredAt: null,
    };
  }

  private open({ kid, alg, privateSealed }: ServerKeyRow): SigningKey {
    const key = Buffer.from(this.vault.open(privateSealed, purpose(kid)));
    return { kid, alg, privateKey: createPrivateKey({ key, format: 'der', type: 'pkcs8' }) };
  }
}

/** The key that signs access tokens now. D-23 */
@Injectable()
export class TokenKeys {
  constructor(private readonly keys: ServerKeysService) {}

  current(): SigningKey {
    return this.keys.token;
  }
}
