// The samples of docs/edges, run by the programs that they are for: what arrives behind them, what they write down of whom, and
// that each line that keeps them silent is needed.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { request } from 'node:https';
import { createServer as createSocketServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { connect } from 'node:tls';
import { fileURLToPath } from 'node:url';

const samples = join(dirname(fileURLToPath(import.meta.url)), '../../docs/edges');
/** Who asks, where, and what may be known of them behind it. */
const CLIENTS = [
  { from: '127.77.88.99', to: '127.0.0.1', network: '127.77.88.0' },
  { from: '2001:db8:77:88:99:aa:bb:cc', to: '::1', network: '2001:db8:77:88::' },
  { from: '2001:db8:5::99', to: '::1', network: '2001:db8:5::' },
];
const FORGED = '203.0.113.66';
const PATH = '/watch/quillfeather';

/** RFC 6455, section 1.2. */
const SOCKET = { upgrade: 'websocket', connection: 'Upgrade', 'sec-websocket-version': '13', 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==' };

const scratch = mkdtempSync(join(tmpdir(), 'veilcast-edges-'));
after(() => rmSync(scratch, { recursive: true, force: true }));
const at = (name) => join(scratch, name);

execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1',
  '-subj', '/CN=live.example.org', '-addext', 'subjectAltName=DNS:live.example.org', '-keyout', at('key.pem'), '-out', at('cert.pem')],
{ stdio: 'ignore' });
writeFileSync(at('both.pem'), readFileSync(at('cert.pem'), 'utf8') + readFileSync(at('key.pem'), 'utf8'));

const freePort = async () => {
  const socket = createSocketServer().listen(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  await new Promise((resolve) => socket.close(resolve));
  return port;
};

/** Puts this machine's places into a sample; each must be there. */
function placed(text, places) {
  return places.reduce((made, [from, to]) => {
    assert.ok(made.includes(from), `the sample has no line '${from}'`);
    return made.replaceAll(from, to);
  }, text);
}

/** How each is fitted to this machine and started, and the lines without which it tells of somebody. */
const proxies = {
  nginx: {
    file: 'nginx.conf',
    places: (port, backend) => [
      ['user www-data;\n', 'daemon off;\n'],
      ['/run/nginx.pid', at('nginx.pid')],
      ['    access_log off;', ['    access_log off;', ...['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `    ${kind}_temp_path ${at(kind)};`)].join('\n')],
      ['listen 443 ssl', `listen 127.0.0.1:${port} ssl`],
      ['listen [::]:443 ssl', `listen [::1]:${port} ssl`],
      ['/etc/veilcast/fullchain.pem', at('cert.pem')],
      ['/etc/veilcast/privkey.pem', at('key.pem')],
      ['127.0.0.1:8080', `127.0.0.1:${backend}`],
    ],
    command: (file) => ['nginx', ['-e', 'stderr', '-p', scratch, '-c', file]],
    leaks: [
      ['    access_log off;', `    access_log ${at('access.log')};`],
      ['error_log /dev/null crit;', 'error_log stderr error;'],
      ['X-Forwarded-For $veilcast_network', 'X-Forwarded-For $remote_addr'],
      ['"~^(?<six>[0-9a-f]+:[0-9a-f]+:[0-9a-f]+:[0-9a-f]+):"', '"~^(?<six>.*:.*)$"'],
      ['"~^(?<short>[0-9a-f]+(:[0-9a-f]+)?(:[0-9a-f]+)?)::"', '"~^(?<short>.*::.*)$"'],
      ['            proxy_set_header Forwarded "";\n', ''],
      ['            proxy_set_header X-Real-IP "";\n', ''],
    ],
  },
  caddy: {
    file: 'Caddyfile',
    places: (port, backend) => [
      ['live.example.org {', `https://live.example.org:${port} {\n\tbind 127.0.0.1 ::1\n\ttls ${at('cert.pem')} ${at('key.pem')}`],
      ['\tadmin off\n', '\tadmin off\n\tauto_https disable_redirects\n'],
      ['127.0.0.1:8080', `127.0.0.1:${backend}`],
    ],
    command: (file) => ['caddy', ['run', '--config', file, '--adapter', 'caddyfile']],
    leaks: [
      ['output discard', 'output stderr'],
      ['\t\theader_up X-Forwarded-For {veilcast_network}\n', ''],
      ['~^([0-9a-f]+:[0-9a-f]+:[0-9a-f]+:[0-9a-f]+):.*$ "${1}::"', '~^(.*:.*)$ "${1}"'],
      ['~^([0-9a-f]+(:[0-9a-f]+)?(:[0-9a-f]+)?)::.*$ "${1}::"', '~^(.*::.*)$ "${1}"'],
      ['\t\theader_up -X-Real-IP\n', ''],
      ['\t\theader_up -Forwarded\n', ''],
    ],
  },
  haproxy: {
    file: 'haproxy.cfg',
    places: (port, backend) => [
      ['    user haproxy\n    group haproxy\n', ''],
      ['maxconn 16384', 'maxconn 100'],
      // Nobody behind it is no reason to wait here.
      ['    timeout connect 5s', '    retries 0\n    timeout connect 5s'],
      ['bind :443', `bind 127.0.0.1:${port}`],
      ['bind :::443', `bind [::1]:${port}`],
      ['/etc/veilcast/haproxy.pem', at('both.pem')],
      ['127.0.0.1:8080', `127.0.0.1:${backend}`],
    ],
    command: (file) => ['haproxy', ['-db', '-f', file]],
    leaks: [
      ['    no log\n', '    log stderr format raw local0\n    option httplog\n'],
      ['%[src,ipmask(24,64)]', '%[src]'],
      ['%[src,ipmask(24,64)]', '%[src,ipmask(24,128)]'],
      ['    http-request del-header Forwarded\n', ''],
      ['    http-request del-header X-Real-IP\n', ''],
    ],
  },
};

class Running {
  static start(command, parameters) {
    const running = new Running();
    const env = { ...process.env, HOME: scratch, XDG_DATA_HOME: scratch, XDG_CONFIG_HOME: scratch };
    running.child = spawn(command, parameters, { stdio: ['ignore', 'pipe', 'pipe'], cwd: scratch, env });
    running.said = '';
    for (const stream of [running.child.stdout, running.child.stderr]) stream.on('data', (bytes) => { running.said += bytes; });
    running.exited = once(running.child, 'exit');
    return running;
  }

  /** Waits until it takes connections. */
  async listens(port) {
    for (let attempt = 0; attempt < 150; attempt++) {
      assert.equal(this.child.exitCode, null, this.said);
      const open = await new Promise((resolve) => {
        const socket = connect({ host: '127.0.0.1', port, servername: 'live.example.org', rejectUnauthorized: false }, () => resolve(true));
        socket.on('error', () => resolve(false));
        socket.on('secureConnect', () => socket.destroy());
      });
      if (open) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    assert.fail(`does not listen: ${this.said}`);
  }

  async stop() {
    this.child.kill('SIGTERM');
    const late = setTimeout(() => this.child.kill('SIGKILL'), 5_000);
    await this.exited;
    clearTimeout(late);
  }
}

/** The text of every file of the scratch directory that was not ours. */
function written(directory = scratch) {
  return readdirSync(directory).filter((name) => !/\.(conf|pem)$/.test(name)).map((name) => {
    const path = join(directory, name);
    return statSync(path).isDirectory() ? written(path) : `${name}: ${readFileSync(path, 'latin1')}\n`;
  }).join('');
}

/** Asks once as somebody who makes up where they are; returns the status. */
const ask = (port, { from, to }, headers = {}) =>
  new Promise((resolve, reject) => {
    const forged = { 'x-forwarded-for': FORGED, 'x-real-ip': FORGED, forwarded: `for=${FORGED}` };
    const asked = request({
      host: to, port, path: PATH, localAddress: from, servername: 'live.example.org', rejectUnauthorized: false,
      headers: { host: 'live.example.org', ...forged, ...headers },
    }, (answer) => {
      answer.resume();
      answer.on('end', () => resolve(answer.statusCode));
    });
    asked.on('upgrade', (answer, socket) => {
      socket.destroy();
      resolve(answer.statusCode);
    });
    asked.on('error', reject);
    // Each on a connection of its own.
    asked.shouldKeepAlive = false;
    asked.end();
  });

/** What a proxy with this configuration passes on and writes down. */
async function observed(proxy, text, port, backend) {
  const file = at('proxy.conf');
  writeFileSync(file, text);
  const arrived = [];
  const server = createServer((asked, answer) => {
    arrived.push(asked.rawHeaders);
    answer.end('ok');
  });
  server.on('upgrade', (asked, socket) => {
    arrived.push(asked.rawHeaders);
    socket.end('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n');
  });
  server.listen(backend, '127.0.0.1');
  await once(server, 'listening');
  const running = Running.start(...proxy.command(file));
  try {
    await running.listens(port);
    const statuses = [];
    for (const client of CLIENTS) statuses.push(await ask(port, client), await ask(port, client, SOCKET));
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    // Nobody behind it: what it would complain of, it complains of now.
    for (const client of CLIENTS) statuses.push(await ask(port, client));
    return { arrived, statuses, said: async () => { await running.stop(); return running.said + written(); } };
  } catch (error) {
    server.close();
    server.closeAllConnections();
    await running.stop();
    throw error;
  }
}

function leaks({ arrived }, said) {
  const headers = JSON.stringify(arrived);
  const addresses = [...CLIENTS.map(({ from }) => from), FORGED];
  const told = addresses.filter((address) => headers.includes(address)).map((address) => `${address} behind it`);
  return [...told, ...[...addresses, PATH].filter((words) => said.includes(words)).map((words) => `${words} written down`)];
}

for (const [name, proxy] of Object.entries(proxies)) {
  test(`${name}: passes on networks and writes nothing down`, async () => {
    const [port, backend] = [await freePort(), await freePort()];
    const sample = readFileSync(join(samples, proxy.file), 'utf8');
    const run = async (text) => {
      const seen = await observed(proxy, placed(text, proxy.places(port, backend)), port, backend);
      return { seen, said: await seen.said() };
    };
    const { seen, said } = await run(sample);
    assert.deepEqual(seen.statuses.slice(0, 6), [200, 101, 200, 101, 200, 101], said);
    assert.ok(seen.statuses.slice(6).every((status) => status >= 500), 'nobody is there');
    assert.deepEqual(leaks(seen, said), [], said);
    const networks = seen.arrived.map((headers) => headers.filter((_, index) => headers[index - 1]?.toLowerCase() === 'x-forwarded-for'));
    assert.deepEqual(networks, CLIENTS.flatMap(({ network }) => [[network], [network]]));
    for (const [line, other] of proxy.leaks) {
      // Fitting puts something beside one of these lines, so that it is changed afterwards.
      const fitted = placed(sample, proxy.places(port, backend));
      assert.ok(fitted.includes(line), line);
      const bad = await observed(proxy, fitted.replace(line, other), port, backend);
      assert.notDeepEqual(leaks(bad, await bad.said()), [], `without '${line.trim()}' somebody is told of`);
      rmSync(at('access.log'), { force: true });
    }
  });
}

test('coturn: relays and writes nothing down', async () => {
  const sample = readFileSync(join(samples, 'turnserver.conf'), 'utf8');
  const port = await freePort();
  const places = [
    ['listening-ip=203.0.113.6', 'listening-ip=127.0.0.1'],
    ['relay-ip=203.0.113.6', 'relay-ip=127.0.0.1'],
    ['tls-listening-port=443', `tls-listening-port=${port}\nuserdb=${at('turndb')}\npidfile=${at('turn.pid')}`],
    ['/etc/turnserver/fullchain.pem', at('cert.pem')],
    ['/etc/turnserver/privkey.pem', at('key.pem')],
    ['=SECRET', '=5ad0c7b1b1c34e0f9d8e7a6b5c4d3e2f'],
  ];
  const run = async (text) => {
    writeFileSync(at('turn.conf'), placed(text, places));
    const running = Running.start('turnserver', ['-c', at('turn.conf')]);
    try {
      await running.listens(port);
      // An allocation without credentials, which a relay answers with a challenge and its log with a line.
      const socket = connect({ host: '127.0.0.1', port, localAddress: CLIENTS[0].from, rejectUnauthorized: false });
      await once(socket, 'secureConnect');
      socket.write(Buffer.from('000300082112a442636172617261636172613030001900041100000000', 'hex').subarray(0, 28));
      const [answer] = await once(socket, 'data');
      assert.equal(answer.readUInt16BE(0), 0x0113, 'Allocate error response: a challenge');
      socket.destroy();
      await new Promise((resolve) => setTimeout(resolve, 500));
    } finally {
      await running.stop();
    }
    return running.said + written();
  };
  const said = await run(sample);
  assert.ok(!/bad configuration|unknown|unrecognized/i.test(said), said);
  assert.deepEqual(CLIENTS.filter(({ from }) => said.includes(from)), [], said);
  const loud = await run(sample.replace('log-file=/dev/null\nno-stdout-log\n', 'log-file=stdout\nverbose\n'));
  assert.ok(loud.includes(CLIENTS[0].from), 'with its usual log somebody is told of');
});

test('systemd: the unit is one', () => {
  const sample = readFileSync(join(samples, 'veilcast.service'), 'utf8');
  const verify = (text) => {
    writeFileSync(at('veilcast.service'), text);
    try {
      const options = { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] };
      return execFileSync('sh', ['-c', 'systemd-analyze verify --man=no "$1" 2>&1', 'sh', at('veilcast.service')], options);
    } catch ({ stdout }) {
      return `refused: ${stdout}`;
    }
  };
  const about = (text) => text.split('\n').filter((line) => line.includes('veilcast') || line.startsWith('refused'));
  const fitted = placed(sample, [['ExecStart=/usr/local/bin/veilcast serve', 'ExecStart=/bin/true serve']]);
  assert.deepEqual(about(verify(fitted)), []);
  assert.notDeepEqual(about(verify(fitted.replace('MemorySwapMax=0', 'MemorySwapMaxx=0'))), [], 'a misspelt key is found');
  for (const line of ['StandardOutput=null', 'LimitCORE=0', 'MemorySwapMax=0', 'UMask=0077']) assert.ok(sample.includes(`\n${line}\n`), line);
});
