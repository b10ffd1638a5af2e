import { createPublicKey, createPrivateKey } from 'node:crypto';
import type { RequestHead, ResponseHead } from '../../src/ocm/message-signature.js';

/** RFC 9421 appendix B.1.3, test-key-ecc-p256 */
export const p256 = createPublicKey({
  key: Buffer.from(
    'MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEqIVYZVLCrPZHGHjP17CTW0/+D9Lfw0EkjqF7xB4FivAxzic30tMM4GF+hR6Dxh71Z50VGGdldkkDXZCnTNnoXQ==',
    'base64',
  ),
  format: 'der',
  type: 'spki',
});

/** RFC 9421 appendix B.1.4, test-key-ed25519 */
export const ed25519 = createPrivateKey({
  key: Buffer.from('MC4CAQAwBQYDK2VwBCIEIJ+DYvh6SEqVTm50DFtMDoQikTmiCqirVv9mWG9qfSnF', 'base64'),
  format: 'der',
  type: 'pkcs8',
});

/** RFC 9421 appendix B.1.5, test-shared-secret */
export const sharedSecret = Buffer.from(
  'uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ==',
  'base64',
);

/** RFC 9421 appendix B.2, test-request */
export const testRequest: RequestHead = {
  method: 'POST',
  targetUri: 'https://example.com/foo?param=Value&Pet=dog',
  fields: {
    host: 'example.com',
    date: 'Tue, 20 Apr 2021 02:07:55 GMT',
    'content-type': 'application/json',
    'content-digest':
      'sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:',
    'content-length': '18',
  },
};
export const testRequestBody = '{"hello": "world"}';

/** RFC 9421 appendix B.2, test-response */
export const testResponse: ResponseHead = {
  status: 200,
  fields: {
    date: 'Tue, 20 Apr 2021 02:07:56 GMT',
    'content-type': 'application/json',
    'content-digest':
      'sha-512=:mEWXIS7MaLRuGgxOBdODa3xqM1XdEvxoYhvlCFJ41QJgJc4GTsPp29l5oGX69wWdXymyU0rjJuahq4l5aGgfLQ==:',
    'content-length': '23',
  },
};
export const testResponseBody = '{"message": "good dog"}';

/** The same message with a signature. */
export const withSignature = <T extends RequestHead | ResponseHead>(head: T, input: string, signature: string): T => ({
  ...head,
  fields: { ...head.fields, 'signature-input': input, signature },
});
