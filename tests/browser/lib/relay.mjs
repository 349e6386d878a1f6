// A TURN server of the operator's: Debian's coturn as the README configures it, over TCP and on an address of its own.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from './app.mjs';
import { MEDIA_ADDRESS } from './server.mjs';

const ADDRESS = '10.99.0.3';
const SECRET = '5ad0c7b1b1c34e0f9d8e7a6b5c4d3e2f';

const configuration = (data, port, allowed) => `
listening-ip=${ADDRESS}
relay-ip=${ADDRESS}
listening-port=${port}
no-udp
no-tls
no-dtls
realm=live.example.org
use-auth-secret
static-auth-secret=${SECRET}
denied-peer-ip=0.0.0.0-255.255.255.255
denied-peer-ip=::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff
allowed-peer-ip=${allowed}
no-tcp-relay
no-multicast-peers
user-quota=2
total-quota=2000
no-cli
no-software-attribute
log-file=stdout
simple-log
userdb=${join(data, 'turndb')}
pidfile=${join(data, 'turn.pid')}
`;

export class Relay {
  /** Starts a relay that reaches one address. */
  static async start({ port, allowed }) {
    const path = `${process.env.PATH}:/usr/sbin:/sbin`;
    // Who speaks to it does so from the address of the pair: Chromium refuses a relay that it reaches from any but the one
    // that its own network has.
    const route = ['route', 'replace', 'local', `${ADDRESS}/32`, 'dev', 'lo', 'src', MEDIA_ADDRESS, 'table', 'local'];
    execFileSync('ip', route, { env: { ...process.env, PATH: path } });
    const relay = new Relay();
    relay.data = await mkdtemp(join(tmpdir(), 'veilcast-relay-'));
    const file = join(relay.data, 'turnserver.conf');
    await writeFile(file, configuration(relay.data, port, allowed), { mode: 0o600 });
    relay.child = spawn('turnserver', ['-c', file], { stdio: 'ignore', env: { ...process.env, PATH: path } });
    relay.exited = once(relay.child, 'exit');
    // What the server is told, in a file of its own.
    relay.server = join(relay.data, 'veilcast.toml');
    const url = `turn:${ADDRESS}:${port}?transport=tcp`;
    await writeFile(relay.server, `ice_server = [{ url = "${url}", secret = "${SECRET}" }]\n`, { mode: 0o600 });
    await until('the relay listens', () => answers(port));
    return relay;
  }

  async stop() {
    this.child.kill('SIGTERM');
    await this.exited;
    await rm(this.data, { recursive: true, force: true });
  }
}

const answers = (port) =>
  new Promise((resolve) => {
    const socket = connect(port, ADDRESS);
    socket.once('connect', () => socket.destroy(resolve(true)));
    socket.once('error', () => resolve(false));
  });
