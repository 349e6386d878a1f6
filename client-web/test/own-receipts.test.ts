import { afterEach, describe, expect, it, vi } from 'vitest';
import { receiptFile } from '../src/sdk/receipt.js';
import { ownKey, receiptsOfServer, state, takeBack } from '../src/sdk/statement.js';
import { fault } from './fakes.js';
import { made, TERMS } from './made-receipt.js';
import { verified } from './proofs.js';

afterEach(() => vi.unstubAllGlobals());

describe('the receipts of a guest', () => {
  it('are asked for with a fresh proof of the key that signed them', async () => {
    const asked: Request[] = [];
    const answers = [Response.json({ receipts: [made({})] }), refused(), Response.json({ receipts: [] })];
    vi.stubGlobal('location', { origin: 'https://live.example' });
    vi.stubGlobal('fetch', async (request: Request) => {
      if (!request.headers.has('dpop')) return Response.json({ ready: true });
      asked.push(request);
      return answers.shift();
    });
    const choice = { question: 'q', event: 'mine', terms: TERMS, granted: true };
    const statement = await state({ ...choice, way: 'dialog', origin: 'https://live.example' });
    expect(await receiptsOfServer('mine')).toEqual([made({})]);
    await expect(receiptsOfServer('mine')).rejects.toMatchObject({ code: 'proof-invalid' });
    expect(await receiptsOfServer('other')).toEqual([]);
    const [first, second, other] = await Promise.all(
      asked.map(({ headers }) => verified(headers.get('dpop'))),
    );
    const signer = await verified(statement);
    expect(first?.header.jwk).toEqual(signer.header.jwk);
    expect(first?.claims).toMatchObject({ htm: 'GET', htu: 'https://live.example/api/v1/consent/receipts' });
    expect(second?.claims.jti).not.toBe(first?.claims.jti);
    expect(other?.header.jwk).not.toEqual(first?.header.jwk);
    expect(asked.map(({ headers }) => headers.has('authorization'))).toEqual([false, false, false]);
  });

  it('and their key take back what was agreed to, when the page that asked is long closed', async () => {
    const asked: Request[] = [];
    vi.stubGlobal('location', { origin: 'https://live.example' });
    vi.stubGlobal('fetch', async (request: Request) => {
      if (!request.headers.has('dpop')) return Response.json({ ready: true });
      asked.push(request);
      return Response.json({ receipts: [made({ event_state: 'withdrawn' })] });
    });
    const key = await ownKey('closed');
    expect(await takeBack('closed', key)).toEqual([made({ event_state: 'withdrawn' })]);
    const proof = await verified(asked[0]?.headers.get('dpop') ?? '');
    const { d: _, ...open } = key;
    expect(proof.header.jwk).toEqual(open);
    const htu = 'https://live.example/api/v1/consent/grants/closed';
    expect(proof.claims).toMatchObject({ htm: 'DELETE', htu });
  });

  it('are saved with the key that shows whose they are', async () => {
    const key = await ownKey('saved');
    const file = JSON.parse(receiptFile(['a.b.c'], key));
    expect(file).toMatchObject({ receipts: ['a.b.c'], key });
    await crypto.subtle.importKey('jwk', file.key, { name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign']);
    expect(JSON.parse(receiptFile(['a.b.c']))).not.toHaveProperty('key');
  });
});

const refused = (): Response => Response.json(fault('proof-invalid', 401), { status: 401 });
