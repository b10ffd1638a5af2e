import { createPrivateKey, createPublicKey, type ED25519KeyPairOptions, generateKeyPairSync } from 'node:crypto';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import { toHex } from '../kernel/bytes.js';
import { Clock } from '../kernel/clock.js';
import { Dice } from '../kernel/dice.js';
import { Fault, isFault } from '../kernel/fault.js';
import { AuditLog } from '../platform/audit-log.repository.js';
import { Config } from '../platform/config.js';
import { TransactionService, type Tx } from '../platform/transaction.service.js';
import type { RowPurpose } from '../platform/sealed-column.js';
import { Vault } from '../platform/vault.service.js';
import type { Jwk, JwkSet } from './jwk-set.js';
import type { SigningKey } from './message-signing.js';
import { type KeyKind, turnOver } from './key-rotation.js';
import { ServerKeyRepository, type ServerKeyRow } from './server-key.repository.js';

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

interface Held {
  readonly http: SigningKey;
  readonly token: SigningKey;
  readonly published: JwkSet;
}

/** The keys of this server: made at its first start, held in memory, read anew now and then. */
@Injectable()
export class ServerKeysService implements OnModuleInit {
  private held: Held | undefined;
  private readonly purpose: RowPurpose;

  constructor(
    private readonly keys: ServerKeyRepository,
    private readonly transactions: TransactionService,
    private readonly vault: Vault,
    private readonly config: Config,
    private readonly clock: Clock,
    private readonly dice: Dice,
    private readonly audit: AuditLog,
  ) {
    this.purpose = vault.keep({ table: 'server_key', column: 'private_sealed', as: 'private', row: ['kid'] });
  }

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

  /** All that are published, those of a kind together, the newest first. */
  all(): Promise<ServerKeyRow[]> {
    return this.transactions.statement((tx) => this.keys.published(tx));
  }

  /**
   * Makes a key that is published now and signs when others have read it; the one before stays published as long as what
   * it signed is valid. Throws `key.rotating` when there is such a key already.
   */
  async rotate(kind: KeyKind): Promise<void> {
    await this.change(kind, async (tx, current) => {
      const next = (await this.keys.published(tx)).find((key) => key.kind === kind && key.state === 'next');
      if (next) throw new Fault('key.rotating', { kid: next.kid });
      await this.add(tx, this.make(kind, current.alg as Made, 'next'), 'key.made');
    });
  }

  /**
   * Makes a key that signs now, and publishes no other of its kind any more: whatever those signed is worth nothing from
   * now on, and what the new one signs is refused where our keys were read before, until they are read anew. For a key
   * that others have got hold of.
   */
  async replace(kind: KeyKind): Promise<void> {
    await this.change(kind, async (tx, current) => {
      const before = (await this.keys.published(tx)).filter((key) => key.kind === kind);
      await this.keys.remove(
        tx,
        before.map(({ kid }) => kid),
      );
      await this.add(tx, this.make(kind, current.alg as Made), 'key.replaced');
    });
  }

  /** What the time has come for: keys take over, and keys go. */
  async turnOver(): Promise<void> {
    const now = this.clock.now();
    const due = turnOver(await this.all(), now, this.config);
    for (const kind of due.renew) await this.rotateUnlessRotating(kind);
    for (const { kid, kind } of due.promote) {
      await this.transactions.run(async (tx) => {
        const current = await this.keys.current(tx, kind);
        const isNext = (await this.keys.published(tx)).some((key) => key.kid === kid && key.state === 'next');
        if (!current || !isNext) return;
        await this.keys.retire(tx, current.kid, now);
        await this.keys.promote(tx, kid);
        await this.audit.record(tx, { act: 'key.took-over', subject: kid, facts: { retired: current.kid } });
      });
    }
    const gone = due.remove.map(({ kid }) => kid);
    if (gone.length > 0) await this.transactions.statement((tx) => this.keys.remove(tx, gone));
    await this.load();
  }

  private async rotateUnlessRotating(kind: KeyKind): Promise<void> {
    try {
      await this.rotate(kind);
    } catch (error) {
      // Another replica was faster.
      if (!isFault(error, 'key.rotating')) throw error;
    }
  }

  /** Under the lock of the current key of a kind, so that it is done once. */
  private async change(kind: KeyKind, work: (tx: Tx, current: ServerKeyRow) => Promise<void>): Promise<void> {
    await this.transactions.run(async (tx) => {
      const current = await this.keys.current(tx, kind);
      if (!current) throw new Fault('internal', { what: 'no current key', kind });
      await work(tx, current);
    });
    await this.load();
  }

  private async add(tx: Tx, row: ServerKeyRow, act: 'key.made' | 'key.replaced'): Promise<void> {
    if (!(await this.keys.add(tx, row))) throw new Fault('internal', { what: 'a key was not added', kid: row.kid });
    await this.audit.record(tx, { act, subject: row.kid, facts: { kind: row.kind } });
  }

  /** Takes over what other replicas changed. */
  async load(): Promise<void> {
    const rows = await this.transactions.statement((tx) => this.keys.published(tx));
    const signing = (kind: KeyKind): SigningKey => {
      const row = rows.find((found) => found.kind === kind && found.state === 'current');
      if (!row) throw new Error(`there is no current key of kind ${kind}`);
      // A key is the same as long as it has its kid.
      const held = this.held?.[kind];
      return held?.kid === row.kid ? held : this.open(row);
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

  private make(kind: KeyKind, alg: Made, state: ServerKeyRow['state'] = 'current'): ServerKeyRow {
    const kid = `${this.config.domain}#${kind}-${toHex(this.dice.bytes(4))}`;
    const { publicKey, privateKey } = generate(alg);
    const published = createPublicKey({ key: publicKey, format: 'der', type: 'spki' });
    return {
      kid,
      kind,
      alg,
      state,
      publicJwk: { ...published.export({ format: 'jwk' }), kid, alg, use: 'sig' } as Jwk,
      privateSealed: Buffer.from(this.vault.seal(privateKey, this.purpose(kid))),
      createdAt: this.clock.now(),
      retiredAt: null,
    };
  }

  private open({ kid, alg, privateSealed }: ServerKeyRow): SigningKey {
    const key = Buffer.from(this.vault.open(privateSealed, this.purpose(kid)));
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
