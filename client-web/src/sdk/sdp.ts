/**
 * The offer as it leaves the browser: without a single address. An ICE-lite server answers whichever
 * authenticated check arrives and needs no candidate (RFC 8445 section 2.5), and Chromium writes the machine's address
 * into `c=` and `a=rtcp` once it has gathered.
 */
export function withoutAddresses(sdp: string): string {
  return sdp
    .split(/\r?\n/)
    .filter(
      (line) =>
        !/^a=(candidate|end-of-candidates|remote-candidates|rtcp):?/.test(line) || /^a=rtcp-/.test(line),
    )
    .map(withoutAddress)
    .join('\r\n');
}

function withoutAddress(line: string): string {
  // RFC 8866 sections 5.7 and 5.2.
  if (line.startsWith('c=')) return 'c=IN IP4 0.0.0.0';
  if (line.startsWith('o=')) return line.replace(/ IN IP[46] \S+$/, ' IN IP4 0.0.0.0');
  return line;
}

/** The fingerprint of the browser's certificate, such as `sha-256 AB:CD:…` (RFC 8122 section 5); every section has the same. */
export function fingerprintOf(sdp: string): string | null {
  return /^a=fingerprint:(.+?)\s*$/m.exec(sdp)?.[1] ?? null;
}

/**
 * Has Chromium's bandwidth estimate start at `kbps` instead of 300, which would shrink the picture for its first ten
 * seconds. The estimate still falls where the line is slower; other browsers pass over the parameter.
 */
export function startingAt(answer: string, kbps: number): string {
  return answer
    .split(/(?=^m=)/m)
    .map((section) => (section.startsWith('m=video') ? startVideo(section, kbps) : section))
    .join('');
}

function startVideo(section: string, kbps: number): string {
  const parameter = `x-google-start-bitrate=${kbps}`;
  return section
    .replace(/^a=rtpmap:(\d+) (?!rtx)\S+\r?\n/gm, (rtpmap, payload: string) => {
      // One fmtp line per payload type: the parameter joins the one that is there.
      if (section.includes(`\na=fmtp:${payload} `)) return rtpmap;
      return `${rtpmap}a=fmtp:${payload} ${parameter}\r\n`;
    })
    .replace(/^(a=fmtp:\d+ )(?!apt=|x-google)(.*)$/gm, `$1${parameter};$2`);
}
