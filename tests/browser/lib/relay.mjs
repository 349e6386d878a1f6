// A TURN server of the operator's: Debian's coturn with the sample of docs/edges, over TLS and on an address of its own.
import { execFileSync, spawn } from 'node:child_process';
import { createHmac, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from './app.mjs';
import { MEDIA_ADDRESS, root } from './server.mjs';

/** run.sh says whose name this is. */
const NAME = 'turn.example.org';
const ADDRESS = '10.99.0.3';
const SECRET = '5ad0c7b1b1c34e0f9d8e7a6b5c4d3e2f';
const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` };

/** The sample, with this network's places in it; each must be there. What coturn says is read here, so that it may speak. */
async function configuration(data, { certificate, key }, port, allowed) {
  const places = [
    ['listening-ip=203.0.113.6', `listening-ip=${ADDRESS}`],
    ['relay-ip=203.0.113.6', `relay-ip=${ADDRESS}`],
    ['tls-listening-port=443', `tls-listening-port=${port}`],
    ['/etc/turnserver/fullchain.pem', certificate],
    ['/etc/turnserver/privkey.pem', key],
    ['static-auth-secret=SECRET', `static-auth-secret=${SECRET}`],
    ['allowed-peer-ip=203.0.113.5', `allowed-peer-ip=${allowed}`],
    ['log-file=/dev/null\nno-stdout-log\n', 'log-file=stdout\nverbose\n'],
  ];
  const sample = await readFile(join(root, 'docs/edges/turnserver.conf'), 'utf8');
  const made = places.reduce((text, [from, to]) => {
    if (!text.includes(from)) throw new Error(`the sample has no line '${from}'`);
    return text.replace(from, to);
  }, sample);
  return `${made}userdb=${join(data, 'turndb')}\npidfile=${join(data, 'turn.pid')}\n`;
}

export class Relay {
  /** Starts a relay that reaches one address; an authority has signed for its name. */
  static async start({ port, allowed, authority }) {
    // Who speaks to it does so from the address of the pair: Chromium refuses a relay that it reaches from any but the one
    // that its own network has.
    const route = ['route', 'replace', 'local', `${ADDRESS}/32`, 'dev', 'lo', 'src', MEDIA_ADDRESS, 'table', 'local'];
    execFileSync('ip', route, { env });
    const relay = new Relay();
    relay.port = port;
    relay.data = await mkdtemp(join(tmpdir(), 'veilcast-relay-'));
    const file = join(relay.data, 'turnserver.conf');
    const text = await configuration(relay.data, authority.certify(NAME, relay.data), port, allowed);
    await writeFile(file, text, { mode: 0o600 });
    relay.child = spawn('turnserver', ['-c', file], { stdio: ['ignore', 'pipe', 'ignore'], env });
    relay.said = '';
    relay.child.stdout.on('data', (bytes) => { relay.said += bytes; });
    relay.exited = once(relay.child, 'exit');
    relay.url = `turns:${NAME}:${port}?transport=tcp`;
    // What the server is told, in a file of its own.
    relay.server = join(relay.data, 'veilcast.toml');
    await writeFile(relay.server, `ice_server = [{ url = "${relay.url}", secret = "${SECRET}" }]\n`, { mode: 0o600 });
    await until('the relay listens', () => answers(port));
    return relay;
  }

  /** What who shares its secret tells a session. */
  session() {
    const username = `${Math.floor(Date.now() / 1_000) + 3_600}:${randomUUID()}`;
    return { username, credential: createHmac('sha1', SECRET).update(username).digest('base64') };
  }

  /** Waits until it has refused to reach an address. */
  refuses(address) {
    return until(`the relay refuses ${address}`, () => this.refused.includes(address));
  }

  get refused() {
    return [...this.said.matchAll(/A peer IP (\S+) denied/g)].map(([, address]) => address);
  }

  /** How many connections to it there have been. */
  get connections() {
    return this.said.match(/tcp or tls connected to/g)?.length ?? 0;
  }

  /** Bytes that have come from its port over the connections that stand. */
  received() {
    const connections = execFileSync('ss', ['-Htni', 'state', 'established', `dst ${ADDRESS}:${this.port}`], { env, encoding: 'utf8' });
    return [...connections.matchAll(/bytes_received:(\d+)/g)].reduce((sum, [, bytes]) => sum + Number(bytes), 0);
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
