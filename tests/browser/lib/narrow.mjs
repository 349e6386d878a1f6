// A viewer's line that carries no more than it is told to: a relay of UDP between one page and the server's media port.
// What does not fit waits in its queue, as in a home router or a base station, and is dropped where that is full.
import { createSocket } from 'node:dgram';
import { MEDIA_ADDRESS } from './server.mjs';

/** What IPv4 and UDP add to a datagram, in bytes. */
const HEADERS = 28;
/** Longer than most routers' queues are meant to be, shorter than many are. */
const QUEUE_MS = 300;
/** How often the queue is looked at: below what a frame takes at any rate that matters. */
const TICK_MS = 2;

export class NarrowLine {
  #inside = createSocket('udp4');
  #outside = createSocket('udp4');
  #queue = [];
  #bitsPerMs = Infinity;
  #free = 0;
  #page = null;
  /** Where the server is for this page: the port of one of its shards. */
  #mediaPort = 0;
  /** Datagrams towards the viewer that found the queue full. */
  dropped = 0;

  static async open() {
    const line = new NarrowLine();
    await Promise.all([line.#inside, line.#outside].map((socket) => bound(socket)));
    // Whatever address a page checks from last is where it is: it has one path, or moves.
    line.#inside.on('message', (bytes, from) => {
      line.#page = from;
      line.#outside.send(bytes, line.#mediaPort, MEDIA_ADDRESS);
    });
    line.#outside.on('message', (bytes) => line.#towardsPage(bytes));
    line.timer = setInterval(() => line.#drain(), TICK_MS);
    return line;
  }

  get port() {
    return this.#inside.address().port;
  }

  /** Bits per second towards the viewer from now on. What waits leaves at the new rate. */
  limit(bitsPerSecond) {
    const now = performance.now();
    const waiting = Math.max(0, this.#free - now) * (Number.isFinite(this.#bitsPerMs) ? this.#bitsPerMs : 0);
    this.#bitsPerMs = bitsPerSecond / 1_000;
    this.#free = now + waiting / this.#bitsPerMs;
    let at = now;
    for (const one of this.#queue) {
      at += this.#takes(one.bytes);
      one.at = at;
    }
  }

  /** Leads a page's media over this line, and over nothing else: no TCP, no other address. */
  async lead(page) {
    await page.exposeFunction('leadsTo', (port) => { this.#mediaPort = port; });
    await page.evaluateOnNewDocument((address, port) => {
      const { prototype } = RTCPeerConnection;
      const apply = prototype.setRemoteDescription;
      const ours = (line) => line.includes(` udp `) && line.includes(` ${address} `);
      prototype.setRemoteDescription = async function lead({ type, sdp }) {
        const lines = sdp.split('\r\n').filter((line) => !line.startsWith('a=candidate:') || ours(line));
        const theirs = lines.find(ours)?.match(/ (\d+) typ /)[1];
        await window.leadsTo(Number(theirs));
        return apply.call(this, { type, sdp: lines.join('\r\n').replaceAll(` ${theirs} typ `, ` ${port} typ `) });
      };
    }, MEDIA_ADDRESS, this.port);
  }

  close() {
    clearInterval(this.timer);
    this.#inside.close();
    this.#outside.close();
  }

  #takes(bytes) {
    return ((bytes.length + HEADERS) * 8) / this.#bitsPerMs;
  }

  #towardsPage(bytes) {
    const now = performance.now();
    this.#free = Math.max(this.#free, now);
    if (this.#free - now > QUEUE_MS) {
      this.dropped += 1;
      return;
    }
    this.#free += this.#takes(bytes);
    this.#queue.push({ bytes, at: this.#free });
    this.#drain();
  }

  #drain() {
    const now = performance.now();
    while (this.#queue[0]?.at <= now) {
      this.#inside.send(this.#queue.shift().bytes, this.#page.port, this.#page.address);
    }
  }
}

const bound = (socket) => new Promise((resolve) => socket.bind(0, MEDIA_ADDRESS, resolve));
