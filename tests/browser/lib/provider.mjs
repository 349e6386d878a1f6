// A sign-in provider of others' making: tests/provider as a process of its own.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { root } from './server.mjs';

export class Provider {
  static async start() {
    const provider = new Provider();
    provider.child = spawn(process.execPath, [join(root, 'tests/provider/server.mjs')], {
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    const [line] = await once(provider.child.stdout, 'data');
    provider.address = String(line).trim();
    return provider;
  }

  /** A realm that knows our server at this address as its client. */
  async realm(server) {
    const client = {
      client_id: 'veilcast',
      client_secret: 'a secret of the client and the provider',
      redirect_uris: [`${server}/oauth/provider/callback/0`],
      grant_types: ['authorization_code'],
      response_types: ['code'],
      backchannel_logout_uri: `${server}/oauth/provider/logout`,
    };
    const { issuer, control } = await this.#ask(`${this.address}/realm`, { clients: [client] });
    const settings = [
      '[[provider]]',
      'name = "Test University"',
      `issuer = "${issuer}"`,
      `client_id = "${client.client_id}"`,
      `client_secret = "${client.client_secret}"`,
    ];
    return { issuer, settings: settings.join('\n'), tell: (verb, given) => this.#ask(`${control}/${verb}`, given) };
  }

  async #ask(address, given) {
    return (await fetch(address, { method: 'POST', body: JSON.stringify(given ?? {}) })).json();
  }

  /** It ends when nobody holds its standard input any more. */
  async stop() {
    this.child.stdin.end();
    if (this.child.exitCode === null) await once(this.child, 'exit');
  }
}
