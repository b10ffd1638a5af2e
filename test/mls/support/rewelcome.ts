import type { GroupInfo, KeyPackage } from 'ts-mls';
import { signGroupInfo } from 'ts-mls/groupInfo.js';
import { extractWelcomeSecret } from 'ts-mls/groupInfo.js';
import { makeKeyPackageRef } from 'ts-mls/keyPackage.js';
import { decryptGroupInfo, decryptGroupSecrets, encryptGroupInfo, encryptGroupSecrets } from 'ts-mls/welcome.js';
import { readWelcome, writeWelcome } from '../../../src/mls/mls-message.js';
import type { Suite } from '../../../src/mls/suite.js';
import type { Fellow } from './fellows.js';

/**
 * The Welcome of a committer who says something else: what `change` makes of the GroupInfo is signed, with
 * `signatureKey`, and sealed again for the same joiner.
 */
export async function rewelcome(
  welcome: Uint8Array,
  { keyPackage, privateKeys }: Fellow,
  signatureKey: Uint8Array,
  change: (groupInfo: GroupInfo) => Omit<GroupInfo, 'signature'>,
  suite: Suite,
): Promise<Uint8Array> {
  const { hpke, kdf, hash, signature } = suite;
  const read = readWelcome(welcome);
  const newMember = await makeKeyPackageRef(keyPackage, hash);
  const secrets = await decryptGroupSecrets(
    await hpke.importPrivateKey(privateKeys.initPrivateKey),
    newMember,
    read,
    hpke,
  );
  const noPsk = new Uint8Array(kdf.size);
  const groupInfo = await decryptGroupInfo(read, secrets!.joinerSecret, noPsk, suite);
  const signed = await signGroupInfo(change(groupInfo!), signatureKey, signature);
  const welcomeSecret = await extractWelcomeSecret(secrets!.joinerSecret, noPsk, kdf);
  const encryptedGroupInfo = await encryptGroupInfo(signed, welcomeSecret, suite);
  const sealed = await encryptGroupSecrets(await initKey(keyPackage, suite), encryptedGroupInfo, secrets!, hpke);
  const encryptedGroupSecrets = { kemOutput: sealed.enc, ciphertext: sealed.ct };
  return writeWelcome({ ...read, encryptedGroupInfo, secrets: [{ newMember, encryptedGroupSecrets }] });
}

const initKey = (keyPackage: KeyPackage, { hpke }: Suite) => hpke.importPublicKey(keyPackage.initKey);
