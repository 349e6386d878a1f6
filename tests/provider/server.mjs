// A sign-in provider for tests: the npm package oidc-provider, with as many realms as are asked for, each on a port of its own and
// configured as providers really are. Runs until its standard input is closed. One line of standard output: the address for
//
//   POST /realm               { clients, dpop, claims, lacks }, all optional → { issuer, control }
//   POST CONTROL/rotate       a new signing key, the old one stays published; { withdraw: true }: it does not
//   POST CONTROL/down         { down: true | false }: the door is shut
//   POST CONTROL/redirect     { to }: key set and token endpoint answer with a redirect there; null ends it
//   POST CONTROL/logout       { sub }: tells every client by the back channel; answers what they said
//   POST CONTROL/logout-token { client, claims, header, bare }: any logout token, good or bad; bare: any token
//   POST CONTROL/groups       { sub, groups }: what the claim says of somebody from now on
//   POST CONTROL/sid          the provider's session of whoever signed in last
//   POST CONTROL/requests     what was asked for since the start, in order
import { generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { createServer } from 'node:http';
import { Provider } from 'oidc-provider';

/** What a resource's access tokens are like. */
const RESOURCES = {
  'urn:test:at': { accessTokenFormat: 'jwt' },
  'urn:test:jwt': { accessTokenFormat: 'jwt', typ: 'JWT' },
  'urn:test:untyped': { accessTokenFormat: 'jwt', typ: undefined },
  'urn:test:opaque': { accessTokenFormat: 'opaque' },
};
const SCOPES = 'live:watch live:other';

function freshKey() {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { ...privateKey.export({ format: 'jwk' }), kid: randomUUID(), use: 'sig', alg: 'ES256' };
}

const body = async (request) => {
  let text = '';
  for await (const part of request) text += part;
  return text;
};

const reply = (response, status, value) => {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(value));
};

class Realm {
  constructor(options) {
    this.options = options;
    this.keys = [freshKey()];
    this.requests = [];
    this.down = false;
    this.redirect = null;
    this.groups = {};
    this.server = createServer((request, response) => this.answer(request, response));
  }

  async open() {
    await new Promise((resolve) => this.server.listen(0, 'localhost', resolve));
    this.issuer = `http://localhost:${this.server.address().port}`;
    this.build();
  }

  /** A provider does not change its keys: whoever rotates begins anew, with everything in memory as it was. */
  build() {
    const { clients = [], dpop = false, claims = { openid: ['sub', 'sid'], groups: ['groups'] } } = this.options;
    const provider = new Provider(this.issuer, {
      clients: clients.map((client) => ({
        id_token_signed_response_alg: 'ES256',
        authorization_signed_response_alg: 'ES256',
        ...client,
      })),
      jwks: { keys: this.keys },
      cookies: { keys: ['only a test'] },
      claims,
      conformIdTokenClaims: false,
      enabledJWA: { idTokenSigningAlgValues: ['ES256', 'RS256'] },
      findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, groups: this.groups[id] ?? [`${id}-group`] }) }),
      interactions: { url: (_, { uid }) => `/interaction/${uid}` },
      loadExistingGrant: async (ctx) => {
        const { client, session } = ctx.oidc;
        const grant = new ctx.oidc.provider.Grant({ clientId: client.clientId, accountId: session.accountId });
        grant.addOIDCScope('openid groups');
        for (const resource of Object.keys(RESOURCES)) grant.addResourceScope(resource, SCOPES);
        await grant.save();
        return grant;
      },
      acrValues: ['urn:test:mfa'],
      pkce: { required: () => false },
      // Its guard against addresses of this machine is for others than us.
      fetch: (url, { dispatcher, ...options }) => fetch(url, options),
      features: {
        devInteractions: { enabled: false },
        clientCredentials: { enabled: true },
        revocation: { enabled: true },
        introspection: { enabled: true, allowedPolicy: () => true },
        dPoP: { enabled: dpop },
        backchannelLogout: { enabled: true },
        resourceIndicators: {
          enabled: true,
          defaultResource: () => [],
          getResourceServerInfo: (_, resource) => ({
            scope: SCOPES,
            audience: resource,
            accessTokenFormat: RESOURCES[resource].accessTokenFormat,
            jwt: { sign: { alg: 'ES256' } },
          }),
        },
      },
      formats: {
        customizers: {
          jwt(_, token, structured) {
            const resource = RESOURCES[token.resourceServer?.identifier()];
            if (resource && 'typ' in resource) structured.header = { ...structured.header, typ: resource.typ };
          },
        },
      },
      ttl: { Session: 3600, Grant: 3600, Interaction: 600, IdToken: 300, ClientCredentials: 600, AccessToken: 600 },
    });
    provider.on('grant.success', ({ body }) => {
      const [, claims] = (body.id_token ?? '').split('.');
      if (claims) this.sid = JSON.parse(Buffer.from(claims, 'base64url')).sid;
    });
    provider.on('server_error', (_, error) => console.error(error));
    this.provider = provider;
    this.handle = provider.callback();
  }

  async answer(request, response) {
    if (this.down) return request.socket.destroy();
    const address = new URL(request.url, this.issuer);
    if (!address.pathname.startsWith('/interaction/')) this.requests.push(await this.noted(request, address));
    if (this.redirect !== null && ['/jwks', '/token'].includes(address.pathname)) {
      response.writeHead(307, { location: this.redirect });
      return response.end();
    }
    if (this.options.lacks && address.pathname === '/.well-known/openid-configuration') return this.describe(response);
    if (address.pathname.startsWith('/interaction/')) return this.interact(request, response, address);
    return this.handle(request, response);
  }

  /** A provider that does not say something of itself. */
  describe(response) {
    const at = (path) => `${this.issuer}${path}`;
    const document = {
      issuer: this.issuer,
      authorization_endpoint: at('/auth'),
      token_endpoint: at('/token'),
      jwks_uri: at('/jwks'),
      id_token_signing_alg_values_supported: ['ES256'],
      code_challenge_methods_supported: ['S256'],
    };
    delete document[this.options.lacks];
    return reply(response, 200, document);
  }

  /** What a provider that keeps everything would keep, but for the body: the handler reads that. */
  async noted(request, address) {
    const headers = { ...request.headers };
    return { method: request.method, path: address.pathname, query: [...address.searchParams], headers };
  }

  /** The person says who they are: a page for browsers, the same form for programs. */
  async interact(request, response, address) {
    if (request.method === 'GET') {
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
      return response.end(`<!doctype html><html lang="en"><title>Test University</title><link rel="icon" href="data:,">
        <h1>Test University</h1><form method="post">
        <label>Name <input name="login" value="ada"></label><button>Continue</button></form>`);
    }
    const form = new URLSearchParams(await body(request));
    const login = { accountId: form.get('login'), acr: form.get('acr') ?? undefined, remember: true };
    const result = form.has('cancel') ? { error: 'access_denied' } : { login };
    return this.provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
  }

  async control(verb, given) {
    switch (verb) {
      case 'rotate':
        this.keys = [freshKey(), ...(given.withdraw ? [] : this.keys)];
        this.build();
        return {};
      case 'down':
        this.down = given.down;
        return {};
      case 'redirect':
        this.redirect = given.to;
        return {};
      case 'logout':
        return this.logout(given.sub);
      case 'logout-token':
        return { token: this.logoutToken(given) };
      case 'groups':
        this.groups[given.sub] = given.groups;
        return {};
      case 'sid':
        return { sid: this.sid };
      case 'requests':
        return this.requests;
      default:
        throw new Error(verb);
    }
  }

  async logout(sub) {
    const said = [];
    for (const { client_id, backchannel_logout_uri } of this.options.clients) {
      if (!backchannel_logout_uri) continue;
      const client = await this.provider.Client.find(client_id);
      said.push(await client.backchannelLogout(sub, 'none').then(() => 'ok', String));
    }
    return { said };
  }

  logoutToken({ client, claims = {}, header = {}, bare = false }) {
    const [key] = this.keys;
    const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const now = Math.floor(Date.now() / 1000);
    const event = { 'http://schemas.openid.net/event/backchannel-logout': {} };
    const usual = { iss: this.issuer, aud: client, iat: now, exp: now + 120, jti: randomUUID() };
    if (!bare) usual.events = event;
    const head = { alg: 'ES256', kid: key.kid, typ: 'logout+jwt', ...header };
    // What is null is left out, so that a test can take something away.
    const present = (value) => Object.fromEntries(Object.entries(value).filter(([, member]) => member !== null));
    const input = `${part(present(head))}.${part(present({ ...usual, ...claims }))}`;
    const signature = sign('sha256', Buffer.from(input), { key: { ...key }, format: 'jwk', dsaEncoding: 'ieee-p1363' });
    return `${input}.${signature.toString('base64url')}`;
  }
}

const realms = [];

const door = createServer(async (request, response) => {
  try {
    const [, first, number, verb] = request.url.split('/');
    const text = await body(request);
    const given = text === '' ? {} : JSON.parse(text);
    if (first !== 'realm') return reply(response, 404, {});
    if (number === undefined) {
      const realm = new Realm(given);
      await realm.open();
      realms.push(realm);
      return reply(response, 200, { issuer: realm.issuer, control: `${address()}/realm/${realms.length - 1}` });
    }
    return reply(response, 200, await realms[number].control(verb, given));
  } catch (error) {
    return reply(response, 500, { error: String(error) });
  }
});

const address = () => `http://localhost:${door.address().port}`;

door.listen(0, 'localhost', () => console.log(address()));
process.stdin.on('end', () => process.exit()).resume();
