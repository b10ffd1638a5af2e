import { expect, test } from 'vitest';
import { FAULTS, Fault, type FaultCode } from '../../src/kernel/fault.js';
import { oauthError } from '../../src/tokens/oauth-error.js';

const grants = (Object.keys(FAULTS) as FaultCode[]).filter((code) => code.startsWith('grant.'));

test('why a grant is refused cannot be told from outside', () => {
  expect(grants.length).toBeGreaterThan(7);
  for (const code of grants) {
    expect(oauthError(new Fault(code, { group: 'lab@a.test' }))).toEqual({ status: 400, error: 'invalid_grant' });
  }
});

test.each<[FaultCode, string]>([
  ['signature.missing', 'invalid_client'],
  ['signature.invalid', 'invalid_client'],
  ['signature.replayed', 'invalid_client'],
  ['signature.wrong-domain', 'invalid_client'],
  ['token.other-client', 'invalid_client'],
  ['token.grant-type', 'unsupported_grant_type'],
  ['token.request-malformed', 'invalid_request'],
  ['token.too-large', 'invalid_request'],
  ['body.too-large', 'invalid_request'],
])('%s is %s with status 400', (code, error) => {
  expect(oauthError(new Fault(code))).toMatchObject({ status: 400, error });
});

test('trouble that passes is 503, so that nobody takes it for a refusal', () => {
  expect(oauthError(new Fault('database.unavailable'))).toEqual({ status: 503, error: 'temporarily_unavailable' });
  expect(oauthError(new Fault('signature.key-unavailable')).status).toBe(503);
  expect(oauthError(new Error('bug'))).toEqual({ status: 500, error: 'server_error' });
});
