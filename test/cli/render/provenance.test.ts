import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { provenanceCell } from '../../../src/cli/render/provenance.ts';

const nobody = { fingerprint: undefined, principal: undefined };

test('a snapshot that is not signed is told from one whose signature could not be looked at', () => {
  const cell = (problem: string) => provenanceCell({ trust: 'foreign', ...nobody, problem });
  assert.is(cell('not signed'), 'no');
  assert.is(cell('its signature cannot be checked here: running ssh-keygen: it is not installed'), 'unknown');
});

test('a signature that is refused stands out, and one of a stranger is its fingerprint', () => {
  assert.is(provenanceCell({ trust: 'refused', ...nobody, problem: 'it does not match' }), 'REFUSED');
  const fingerprint = 'SHA256:0123456789abcdef0123';
  const foreign = { trust: 'foreign', fingerprint, principal: undefined, problem: undefined } as const;
  assert.is(provenanceCell(foreign), 'SHA256:0123456789ab');
});

test.run();
