import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { engineFailure, explainFailure, interruption } from '../../../src/engine/connection/errors.ts';
import {
  DamagedError,
  EngineUnreachableError,
  FailedError,
  InterruptedError,
  NoSpaceError,
  NotFoundError,
} from '../../../src/support/errors.ts';

const test = suite('errors of the engine');
const address = 'unix:///x.sock';

function explained(thrown: object): Error & { advice?: string } {
  return explainFailure('stopping web', address, Object.assign(new Error('raw'), thrown)) as Error;
}

test('an answer of 404 means that the thing does not exist', () => {
  const error = explained({ statusCode: 404, json: { message: 'No such container: web' } });
  assert.instance(error, NotFoundError);
  assert.is(error.message, 'stopping web: No such container: web');
});

test('any other answer is told in the words of the engine, on one line', () => {
  const wrapped = '(HTTP code 500) server error - first line\n  second line ';
  for (const thrown of [{ json: { message: 'first line\nsecond line' } }, { json: null, message: wrapped }]) {
    const error = explained({ statusCode: 500, ...thrown });
    assert.instance(error, FailedError);
    assert.is(error.message, 'stopping web: first line; second line');
  }
});

test('a full disk is told apart from every other failure', () => {
  const error = engineFailure('loading', 'write /var/lib/docker/tmp/x: no space left on device');
  assert.instance(error, NoSpaceError);
});

test('without an answer the engine is unreachable, and who may not use it is told so', () => {
  const refused = explained({ code: 'ECONNREFUSED' });
  assert.instance(refused, EngineUnreachableError);
  assert.match(refused.message, address);
  assert.match(refused.advice ?? '', /^Start the engine/);
  assert.match(explained({ code: 'EACCES' }).advice ?? '', /^Run it as root/);
});

test('what is ours already, or a defect of ours, passes as it is', () => {
  for (const error of [new DamagedError('x'), new TypeError('y')]) {
    assert.is(explainFailure('stopping web', address, error), error);
  }
});

test('an interruption has the reason it was given, where that is one of ours', () => {
  const damaged = new DamagedError('a digest did not match');
  assert.is(interruption('loading', AbortSignal.abort(damaged)), damaged);
  assert.instance(interruption('loading', AbortSignal.abort()), InterruptedError);
});

test.run();
