// The server under test: the real binary, as a process of its own, with a data directory that goes away afterwards.
import { execFile, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export const root = join(dirname(fileURLToPath(import.meta.url)), '../../..');
const binary = process.env.TESTS_BINARY ?? join(root, 'target/debug/veilcast');
const run = promisify(execFile);

export const MEDIA_ADDRESS = '10.99.0.1';

export class Server {
  /** Starts a server and waits until it is ready. `config`: what stands in its veilcast.toml. */
  static async start({ port = 8080, mediaPort = 10_000, args = [], config = '' } = {}) {
    const data = await mkdtemp(join(tmpdir(), 'veilcast-'));
    if (config !== '') await writeFile(join(data, 'veilcast.toml'), config, { mode: 0o600 });
    const server = new Server(port, data);
    server.child = spawn(
      binary,
      [
        'serve',
        '--data-dir',
        data,
        '--listen',
        `127.0.0.1:${port}`,
        '--media-port',
        String(mediaPort),
        '--media-address',
        `${MEDIA_ADDRESS},127.0.0.1`,
        ...args,
      ],
      { stdio: ['ignore', 'pipe', 'pipe'], cwd: data },
    );
    server.child.stdout.on('data', (bytes) => { server.stdout += bytes; });
    server.child.stderr.on('data', (bytes) => { server.stderr += bytes; });
    server.exited = new Promise((resolve) => server.child.once('exit', resolve));
    await server.ready();
    return server;
  }

  constructor(port, data) {
    this.url = `http://localhost:${port}`;
    this.data = data;
    this.stdout = '';
    this.stderr = '';
  }

  async ready() {
    for (let attempt = 0; attempt < 200; attempt++) {
      if (this.child.exitCode !== null) throw new Error(`the server did not start:\n${this.stderr}`);
      const answer = await fetch(`${this.url}/readyz`).catch(() => null);
      if (answer?.ok) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`the server is not ready:\n${this.stderr}`);
  }

  /** Runs a command on the server's data directory; returns what it prints. */
  async command(...args) {
    const { stdout } = await run(binary, [...args, '--data-dir', this.data], { cwd: this.data });
    return stdout.trim();
  }

  /** Looks at saved receipts as anybody can, without this server but for its public keys; returns what is said of them. */
  async verifyReceipts(saved) {
    const [receipts, keys] = ['receipts.json', 'keys.json'].map((name) => join(this.data, name));
    await writeFile(receipts, saved);
    await writeFile(keys, await (await fetch(`${this.url}/.well-known/consent-keys.json`)).text());
    const { stdout } = await run(binary, ['receipt', 'verify', receipts, '--keys', keys], { cwd: this.data });
    return stdout;
  }

  /** Everybody signed in, and was asked for more, so many seconds earlier. */
  async ageSignIns(seconds) {
    const script = [
      'import sqlite3, sys',
      'records = sqlite3.connect(sys.argv[1], timeout=10)',
      'columns = "authenticated = authenticated - ?1, stepped_at = stepped_at - ?1"',
      'records.execute(f"UPDATE issuer_session SET {columns}", (int(sys.argv[2]),))',
      'records.commit()',
    ];
    await run('python3', ['-c', script.join('\n'), join(this.data, 'records.db'), String(seconds)]);
  }

  createEvent(title, ...flags) {
    return this.command('event', 'create', '--title', title, ...flags);
  }

  /** An invitation link, for one person. */
  invite(event, role) {
    return this.command('invite', '--event', event, '--role', role);
  }

  /** A token for a program. */
  token(event, scope) {
    return this.command('token', '--event', event, '--scope', scope);
  }

  /** The one-time link of the first start. */
  async setupLink() {
    return this.command('setup');
  }

  /** Ends it in order. The second signal is for who does not wait until everybody has heard: here nobody is left. */
  async stop() {
    this.child.kill('SIGTERM');
    this.child.kill('SIGINT');
    await this.exited;
    await rm(this.data, { recursive: true, force: true });
  }
}
