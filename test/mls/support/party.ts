import * as mended from 'ts-mls';
import type { ClientConfig, ClientState, Extension, KeyPackage, MLSMessage, PrivateKeyPackage, Proposal } from 'ts-mls';
import { utf8 } from '../../../src/kernel/bytes.js';
import { FEDERATED_GROUP_EXTENSION, type Suite, suiteFrom } from '../../../src/mls/suite.js';
import { TestDice } from '../../support/dice.js';
import type { Library } from './library-without.js';

/** A client that talks to the library directly, without our policy. */
export interface Party {
  readonly keyPackage: KeyPackage;
  readonly privateKeys: PrivateKeyPackage;
}

export const suiteFor = (name: string): Promise<Suite> => suiteFrom(new TestDice(name));

export const config = (changes: Partial<ClientConfig> = {}): ClientConfig => ({
  keyRetentionConfig: { ...mended.defaultKeyRetentionConfig, retainKeysForEpochs: 1 },
  lifetimeConfig: mended.defaultLifetimeConfig,
  keyPackageEqualityConfig: mended.defaultKeyPackageEqualityConfig,
  paddingConfig: mended.defaultPaddingConfig,
  authService: mended.defaultAuthenticationService,
  ...changes,
});

interface Kind {
  readonly lifetime?: mended.Lifetime;
  readonly extensions?: number[];
}

export async function party(
  name: string,
  suite: Suite,
  { lifetime = mended.defaultLifetime, extensions = [FEDERATED_GROUP_EXTENSION] }: Kind = {},
): Promise<Party> {
  const { publicPackage, privatePackage } = await mended.generateKeyPackage(
    { credentialType: 'basic', identity: utf8(name) },
    {
      versions: ['mls10'],
      ciphersuites: [suite.name],
      extensions,
      proposals: [],
      credentials: ['basic'],
    },
    lifetime,
    [],
    suite,
  );
  return { keyPackage: publicPackage, privateKeys: privatePackage };
}

/** A group as one member sees it, moved by the given library. */
export class Member {
  constructor(
    readonly lib: Library,
    readonly suite: Suite,
    public state: ClientState,
  ) {}

  static async found(lib: Library, suite: Suite, { keyPackage, privateKeys }: Party, extensions: Extension[] = []) {
    const groupId = utf8('group');
    return new Member(lib, suite, await lib.createGroup(groupId, keyPackage, privateKeys, extensions, suite, config()));
  }

  async commit(extraProposals: Proposal[], { pskIndex = mended.emptyPskIndex, wireAsPublicMessage = true } = {}) {
    const made = await this.lib.createCommit(
      { state: this.state, pskIndex, cipherSuite: this.suite },
      { wireAsPublicMessage, extraProposals, ratchetTreeExtension: true },
    );
    this.state = made.newState;
    return made;
  }

  async add(...parties: readonly Party[]) {
    return this.commit(parties.map(({ keyPackage }) => ({ proposalType: 'add', add: { keyPackage } })));
  }

  async follow(message: MLSMessage, pskIndex = mended.emptyPskIndex) {
    const result = await this.lib.processMessage(onTheWire(message), this.state, pskIndex, () => 'accept', this.suite);
    this.state = result.newState;
    return result;
  }

  static async join(
    lib: Library,
    suite: Suite,
    welcome: mended.Welcome | undefined,
    { keyPackage, privateKeys }: Party,
  ) {
    if (!welcome) throw new Error('no Welcome');
    const state = await lib.joinGroup(
      welcome,
      keyPackage,
      privateKeys,
      mended.emptyPskIndex,
      suite,
      undefined,
      undefined,
      config(),
    );
    return new Member(lib, suite, state);
  }

  get authenticator(): string {
    return Buffer.from(this.state.keySchedule.epochAuthenticator).toString('hex');
  }
}

export function onTheWire(
  message: MLSMessage,
): Extract<MLSMessage, { wireformat: 'mls_public_message' | 'mls_private_message' }> {
  if (message.wireformat !== 'mls_public_message' && message.wireformat !== 'mls_private_message') {
    throw new Error(`${message.wireformat} is not for members`);
  }
  return message;
}

export const remove = (removed: number): Proposal => ({ proposalType: 'remove', remove: { removed } });

export const replaceExtensions = (...extensions: Extension[]): Proposal => ({
  proposalType: 'group_context_extensions',
  groupContextExtensions: { extensions },
});

export const anExtension = (data: string): Extension => ({
  extensionType: FEDERATED_GROUP_EXTENSION,
  extensionData: utf8(data),
});
