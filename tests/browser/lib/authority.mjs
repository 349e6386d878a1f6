// An authority of the test's own, which signs for names, and what makes a browser's profile know it.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const openssl = (...words) => execFileSync('openssl', words, { stdio: 'ignore' });
const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1'];

export class Authority {
  constructor() {
    this.folder = mkdtempSync(join(tmpdir(), 'veilcast-authority-'));
    this.certificate = join(this.folder, 'ca.pem');
    this.key = join(this.folder, 'ca.key');
    openssl('req', '-x509', ...KEY, '-subj', '/CN=Authority of a test', '-addext', 'keyUsage=critical,keyCertSign', '-keyout', this.key, '-out', this.certificate);
  }

  /** A certificate for a name, and its key, in files of a folder. */
  certify(name, folder) {
    const [certificate, key] = [join(folder, 'fullchain.pem'), join(folder, 'privkey.pem')];
    const ca = ['-CA', this.certificate, '-CAkey', this.key];
    const extensions = [`subjectAltName=DNS:${name}`, 'basicConstraints=critical,CA:false', 'extendedKeyUsage=serverAuth'].flatMap((line) => ['-addext', line]);
    openssl('req', '-x509', ...KEY, '-subj', `/CN=${name}`, ...ca, ...extensions, '-keyout', key, '-out', certificate);
    return { certificate, key };
  }

  /** Makes the database that a browser finds in this folder trust it for servers, and for nothing else. */
  into(folder) {
    mkdirSync(folder, { recursive: true });
    const database = ['-d', `sql:${folder}`];
    execFileSync('certutil', ['-N', ...database, '--empty-password']);
    execFileSync('certutil', ['-A', ...database, '-n', 'test', '-t', 'C,,', '-i', this.certificate]);
  }

  remove() {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
