import { createHash } from 'node:crypto';
import { z } from 'zod';
import { CIPHERS } from '../../content/cipher.js';
import { decryptContent } from '../../content/decryption.js';
import { encryptContent } from '../../content/encryption.js';
import { type FileKey, fileKey } from '../../content/file-key.js';
import { fromBase64url } from '../../kernel/bytes.js';
import type { Dice } from '../../kernel/dice.js';
import { isFault } from '../../kernel/fault.js';
import { rotationAnswer, rotationKeysAnswer, rotationsAnswer } from '../../shares/rotation-bodies.js';
import type { OcmAddress } from '../../kernel/address.js';
import { groupOf } from './act-founding.js';
import { answered, viewOf } from './cast.js';
import { appears, ask, created, tokenFor } from './shares-cast.js';
import type { Answer, Server, Stage } from './stage.js';
import { type Act, insist, type Step } from './story.js';

/** Bytes of the file. */
const LENGTH = 8 * 1024 * 1024 + 12_345;
const NAME = 'recording.bin';

const keyAnswer = z.object({
  fileKey: z.string(),
  encryption: z.object({ resourceId: z.string(), cipher: z.enum(CIPHERS), format: z.string().nullable() }),
});

const keyOf = (answer: Answer): { key: FileKey; resourceId: string; format: string | null } => {
  const { fileKey: bytes, encryption } = answered(answer, 200, keyAnswer);
  return { ...encryption, key: fileKey(encryption.cipher, fromBase64url(bytes)) };
};

const askForKey = (server: Server, id: string, user: OcmAddress): Promise<Answer> =>
  server.get(`/api/v1/received-shares/${id}/file-key?user=${encodeURIComponent(user)}`);

const digestOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex').slice(0, 16);

async function whole(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const found: Uint8Array[] = [];
  for await (const chunk of chunks) found.push(chunk);
  return Buffer.concat(found);
}

/** What a user reads, with a token for the ciphertext and the group's key for the file. */
async function opened(stage: Stage, server: Server, id: string, user: OcmAddress): Promise<string> {
  const { token } = await tokenFor(stage, server, id, user, stage.files.sealed);
  const { status, bytes } = await stage.files.download(token);
  insist(status === 200, 'the ciphertext', status);
  const { key } = keyOf(await stage.until('the key has come', async () => waited(await askForKey(server, id, user))));
  return digestOf(await whole(decryptContent([bytes], key)));
}

const waited = (answer: Answer): Answer | undefined => (answer.status === 503 ? undefined : answer);

/** @param dice for the content, and for the salt that its ciphertext begins with */
export const sealing = (dice: Dice): Act<Stage> => ({
  title: 'A file that its storage cannot read',
  steps: [
    {
      says: 'Alice shares another file, encrypted. Her file platform asks alpha for the file key and encrypts; what lies on the file server is ciphertext.',
      play: async (stage) => {
        const { alpha, files, notes } = stage;
        const resource = { id: 'file-2', type: 'file', name: NAME, uri: files.sealed, permissions: ['read'] };
        const body = { group: groupOf(stage), sender: alpha.user('alice'), resource, encryption: {} };
        const share = created(await alpha.post('/api/v1/shares', body));
        const { key, resourceId, format } = keyOf(await alpha.get(`/api/v1/shares/${share.id}/file-key`));
        const content = dice.bytes(LENGTH);
        const size = await files.store(encryptContent([content], key, dice));
        notes.set('content', digestOf(content));
        const view = await viewOf(alpha, groupOf(stage));
        return [
          `resource ${resourceId}, ${key.cipher}, ${format}: ${LENGTH} bytes became ${size}`,
          `the key goes to beta and gamma, wrapped under the Group Key of epoch ${view?.epoch}`,
        ];
      },
    },
    {
      says: 'Bob and Carol open it: each server unwraps the key with the Group Key that it holds itself.',
      play: async (stage) => {
        const { beta, gamma, notes } = stage;
        const lines: string[] = [];
        for (const [server, user] of [
          [beta, beta.user('bob')],
          [gamma, gamma.user('carol')],
        ] as const) {
          const { id } = await appears(stage, server, user, NAME);
          const digest = await opened(stage, server, id, user);
          insist(digest === notes.get('content'), 'what Alice encrypted', digest);
          notes.set(`sealed at ${server.name}`, id);
          notes.set(`key at ${server.name}`, answered(await askForKey(server, id, user), 200, keyAnswer).fileKey);
          lines.push(`${user}: SHA-256 ${digest}...`);
        }
        return lines;
      },
    },
  ],
});

/** After Carol was removed. */
export const sealedFromCarol: Step<Stage> = {
  says: 'The encrypted file opens for Bob, whose server got its key anew under the Group Key of the new epoch, and for Carol no more.',
  play: async (stage) => {
    const { alpha, beta, gamma, notes } = stage;
    const digest = await opened(stage, beta, notes.get('sealed at beta')!, beta.user('bob'));
    insist(digest === notes.get('content'), 'what Alice encrypted', digest);
    const refused = await askForKey(gamma, notes.get('sealed at gamma')!, gamma.user('carol'));
    insist(refused.status === 403 || refused.status === 404, 'no key for Carol', refused.body);
    const { status } = await ask(gamma, notes.get('sealed at gamma')!, gamma.user('carol'));
    insist(status === 403 || status === 404, 'no token for Carol', status);
    const view = await viewOf(alpha, groupOf(stage));
    return [`bob: SHA-256 ${digest}... in epoch ${view?.epoch}`, `carol: ${refused.status}`];
  },
};

/** After that: until now Carol's copy of the key would open whatever is written. */
export const sealedAnew = (dice: Dice): Step<Stage> => ({
  says: "Carol may have kept the key. Alpha says which files are to have new ones; Alice's file platform encrypts the file anew and reports it, and the new key goes to who is left.",
  play: async (stage) => {
    const { alpha, beta, files, notes } = stage;
    const { rotations } = answered(await alpha.get('/api/v1/rotations?state=due'), 200, rotationsAnswer);
    const due = rotations[0];
    insist(rotations.length === 1 && due?.cause === 'member-removed', 'one file that is to have a new key', rotations);
    const { resourceId, version } = due;
    const begun = answered(await alpha.post(`/api/v1/rotations/${resourceId}/begin`), 200, rotationKeysAnswer);
    const { cipher } = begun.encryption;
    const [oldKey, newKey] = [begun.oldFileKey, begun.newFileKey].map((key) => fileKey(cipher, fromBase64url(key)));
    const size = await files.store(encryptContent(decryptContent(files.stored(), oldKey!), newKey!, dice));
    answered(await alpha.post(`/api/v1/rotations/${resourceId}/finish`, { version }), 200, rotationAnswer);
    await stage.until('the new key has come to beta', async () => {
      const answer = await askForKey(beta, notes.get('sealed at beta')!, beta.user('bob'));
      return answered(answer, 200, keyAnswer).fileKey === begun.newFileKey ? true : undefined;
    });
    const digest = await opened(stage, beta, notes.get('sealed at beta')!, beta.user('bob'));
    insist(digest === notes.get('content'), 'what Alice encrypted', digest);
    const carols = fileKey(cipher, fromBase64url(notes.get('key at gamma')!));
    const refused = await whole(decryptContent(files.stored(), carols)).then(() => 'opened', codeOf);
    insist(refused === 'content.key-mismatch', "Carol's key to fit no more", refused);
    const view = await viewOf(alpha, groupOf(stage));
    return [
      `key ${version} of the file, ${size} bytes encrypted anew, wrapped under the Group Key of epoch ${view?.epoch}`,
      `bob: SHA-256 ${digest}...`,
      `carol, with the key that she kept: ${refused}`,
    ];
  },
});

const codeOf = (error: unknown): string => (isFault(error) ? error.code : String(error));

/** After Dave was added. */
export const sealedForDave: Step<Stage> = {
  says: 'Dave, who came last, opens the encrypted file: its key came to gamma under the Group Key of his first epoch.',
  play: async (stage) => {
    const { gamma, notes } = stage;
    const dave = gamma.user('dave');
    const { id } = await appears(stage, gamma, dave, NAME);
    const digest = await opened(stage, gamma, id, dave);
    insist(digest === notes.get('content'), 'what Alice encrypted', digest);
    const view = await viewOf(gamma, groupOf(stage));
    return [`dave: SHA-256 ${digest}... in epoch ${view?.epoch}`];
  },
};
