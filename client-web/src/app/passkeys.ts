import type { NewPasskey, PasskeyAnswer, PasskeyQuestion } from '../protocol/index.js';
import { base64url } from '../sdk/encoding.js';
import { VeilcastError } from '../sdk/errors.js';
import { list, Malformed, object, string } from '../sdk/parse.js';

/** As long as the server waits for an answer. */
const TIME_MS = 120_000;

/** Whether this browser, on this address, can have passkeys: it cannot on an address in numbers, nor without HTTPS. */
export function knowsPasskeys(): boolean {
  return window.PublicKeyCredential !== undefined && navigator.credentials !== undefined;
}

/** Has a device make a passkey. */
export async function createPasskey(question: PasskeyQuestion, label: string): Promise<NewPasskey> {
  const options = object(object(question.options).publicKey);
  const [rp, user] = [object(options.rp), object(options.user)];
  const exclude = options.excludeCredentials === undefined ? [] : list(options, 'excludeCredentials');
  const credential = await asked(() =>
    navigator.credentials.create({
      publicKey: {
        rp: { id: string(rp, 'id'), name: string(rp, 'name') },
        user: {
          id: bytes(string(user, 'id')),
          name: string(user, 'name'),
          displayName: string(user, 'displayName'),
        },
        challenge: bytes(string(options, 'challenge')),
        pubKeyCredParams: list(options, 'pubKeyCredParams').map(algorithm),
        excludeCredentials: exclude.map(descriptor),
        // What the server checks, or has no use for: it does not depend on its answer.
        authenticatorSelection: {
          residentKey: 'required',
          requireResidentKey: true,
          userVerification: 'required',
        },
        attestation: 'none',
        timeout: TIME_MS,
      },
    }),
  );
  const response = credential.response;
  if (!(response instanceof AuthenticatorAttestationResponse)) throw VeilcastError.local('passkey-refused');
  const attestationObject = text(response.attestationObject);
  const made = json(credential, { attestationObject, clientDataJSON: text(response.clientDataJSON) });
  return { ceremony: question.ceremony, credential: made, label };
}

/** Has a device show a passkey, having made sure of its person. */
export async function usePasskey(question: PasskeyQuestion): Promise<PasskeyAnswer> {
  const options = object(object(question.options).publicKey);
  const allow = options.allowCredentials === undefined ? [] : list(options, 'allowCredentials');
  const credential = await asked(() =>
    navigator.credentials.get({
      publicKey: {
        rpId: string(options, 'rpId'),
        challenge: bytes(string(options, 'challenge')),
        allowCredentials: allow.map(descriptor),
        userVerification: 'required',
        timeout: TIME_MS,
      },
    }),
  );
  const response = credential.response;
  if (!(response instanceof AuthenticatorAssertionResponse)) throw VeilcastError.local('passkey-refused');
  const shown = json(credential, {
    authenticatorData: text(response.authenticatorData),
    clientDataJSON: text(response.clientDataJSON),
    signature: text(response.signature),
    userHandle: response.userHandle === null ? null : text(response.userHandle),
  });
  return { ceremony: question.ceremony, credential: shown };
}

/** Whoever declines, or lets the time run out, is told alike: browsers do not say which it was. */
async function asked(ask: () => Promise<Credential | null>): Promise<PublicKeyCredential> {
  const credential = await ask().catch(() => null);
  if (!(credential instanceof PublicKeyCredential)) throw VeilcastError.local('passkey-refused');
  return credential;
}

/** `toJSON()` as WebAuthn section 5.1 has it; not every browser does. */
function json({ id, type }: PublicKeyCredential, response: object): object {
  return { id, rawId: id, type, response, clientExtensionResults: {} };
}

function descriptor(value: unknown): PublicKeyCredentialDescriptor {
  return { type: 'public-key', id: bytes(string(object(value), 'id')) };
}

/** A number of the COSE registry; the common ones are negative. */
function algorithm(value: unknown): PublicKeyCredentialParameters {
  const { alg } = object(value);
  if (typeof alg !== 'number' || !Number.isSafeInteger(alg)) throw new Malformed('alg');
  return { type: 'public-key', alg };
}

function text(buffer: ArrayBuffer): string {
  return base64url(new Uint8Array(buffer));
}

function bytes(encoded: string): Uint8Array<ArrayBuffer> {
  const plain = atob(encoded.replaceAll('-', '+').replaceAll('_', '/'));
  return Uint8Array.from(plain, (character) => character.charCodeAt(0));
}
