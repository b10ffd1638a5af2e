import { expect, test } from 'vitest';
import { Fault } from '../../src/kernel/fault.js';
import { tokenForm } from '../../src/tokens/token-form.js';

const TYPE = 'application/x-www-form-urlencoded';
const FORM = { grant_type: 'authorization_code', client_id: 'B.test', code: 'secret' };

test('a token request is read, other parameters are ignored', () => {
  expect(tokenForm(TYPE, { ...FORM, redirect_uri: 'https://b.test/', scope: ['a', 'b'] })).toEqual({
    clientId: 'b.test',
    code: 'secret',
  });
  expect(tokenForm(TYPE, { ...FORM, member: 'ben@B.test' }).member).toBe('ben@b.test');
});

test.each([
  ['no form', undefined],
  ['no code', { ...FORM, code: undefined }],
  ['an empty code', { ...FORM, code: '' }],
  ['two codes', { ...FORM, code: ['secret', 'other'] }],
  ['two clients', { ...FORM, client_id: ['b.test', 'c.test'] }],
  ['a code without end', { ...FORM, code: 'x'.repeat(513) }],
  ['a client that is no host', { ...FORM, client_id: 'https://b.test' }],
  ['a member that is no address', { ...FORM, member: 'ben' }],
  ['two members', { ...FORM, member: ['ben@b.test', 'bob@b.test'] }],
])('%s is refused, and no value of it is repeated', (_, body) => {
  const refusal = (() => {
    try {
      tokenForm(TYPE, body);
    } catch (error) {
      return error;
    }
  })() as Fault;
  expect(refusal).toMatchObject({ code: 'token.request-malformed' });
  expect(JSON.stringify(refusal.facts)).not.toContain('secret');
});

test('only the grant type of the code flow is known', () => {
  expect(() => tokenForm(TYPE, { ...FORM, grant_type: 'client_credentials' })).toThrow('token.grant-type');
});

test.each([undefined, 'application/json', 'application/x-www-form-urlencoded2'])('a form is what %s is not', (type) => {
  expect(() => tokenForm(type, FORM)).toThrow('token.request-malformed');
});

test('parameters of a content type do not matter', () => {
  expect(tokenForm('Application/X-www-form-urlencoded; charset=UTF-8', FORM)).toMatchObject({ code: 'secret' });
});
