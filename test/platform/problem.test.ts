import { expect, test } from 'vitest';
import { z } from 'zod';
import { Fault } from '../../src/kernel/fault.js';
import { asFault, ocmError, problemDetails } from '../../src/platform/problem.js';

const schema = z.object({ protocol: z.object({ members: z.array(z.string()) }) });
const zodError = () => schema.safeParse({ protocol: { members: ['a', 1] } }).error;

test('a fault is told to our own callers as problem details with its facts', () => {
  expect(problemDetails(new Fault('idempotency.reused', { key: 'k' }), 'r-1', '/api/v1/groups')).toEqual({
    type: 'urn:covey:idempotency.reused',
    title: 'this Idempotency-Key was used for another request',
    status: 422,
    code: 'idempotency.reused',
    detail: 'this Idempotency-Key was used for another request',
    instance: '/api/v1/groups',
    request: 'r-1',
    key: 'k',
  });
});

test('facts cannot take the place of the members of problem details', () => {
  expect(problemDetails(new Fault('not-found', { status: 200, code: 'ok' }), 'r', '/')).toMatchObject({
    status: 404,
    code: 'not-found',
  });
});

test('a fault is told to other servers in the shape of OCM', () => {
  expect(ocmError(new Fault('request.misdirected', { host: 'x.test' }), 'r-1')).toEqual({
    message: 'REQUEST_MISDIRECTED',
    code: 'request.misdirected',
    host: 'x.test',
    request: 'r-1',
  });
});

test('what a schema refuses is told field by field, in both shapes', () => {
  const fault = asFault(zodError(), undefined);
  expect(fault.code).toBe('body.malformed');
  const message = 'Invalid input: expected string, received number';
  expect(problemDetails(fault, 'r', '/')).toMatchObject({
    detail: `protocol.members.1: ${message}`,
    errors: [{ path: 'protocol.members.1', message }],
  });
  expect(JSON.parse(JSON.stringify(ocmError(fault, 'r')))).toEqual({
    message: 'BODY_MALFORMED',
    code: 'body.malformed',
    validationErrors: [{ name: 'protocol.members.1', message }],
    request: 'r',
  });
});

test('of an error that nobody foresaw nothing is told but the id that finds it in the log', () => {
  const fault = asFault(new Error('password is hunter2'), undefined);
  for (const answer of [problemDetails(fault, 'r-9', '/'), ocmError(fault, 'r-9')]) {
    expect(answer).toMatchObject({ code: 'internal', request: 'r-9' });
    expect(JSON.stringify(answer)).not.toContain('hunter2');
  }
});

test('neither are the facts of a fault that is ours', () => {
  const fault = new Fault('vault.sealed-otherwise', { table: 'server_key' });
  expect(JSON.stringify(problemDetails(fault, 'r', '/'))).not.toContain('server_key');
});

test.each([
  [404, 'not-found'],
  [413, 'body.too-large'],
  [415, 'media-type.unsupported'],
  [400, 'request.malformed'],
  [418, 'internal'],
])('a refusal of the framework with %i is %s', (status, code) => {
  expect(asFault(new Error('x'), { status, message: 'x' }).code).toBe(code);
});
