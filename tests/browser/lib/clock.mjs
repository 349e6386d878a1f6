// A broadcast whose every frame can be told from the others, and when each is shown: how far one viewer is behind another.

/** The blocks of a frame: its number in Gray code, so that only one of them changes from a frame to the next. */
const GRID = { columns: 4, rows: 3 };

/** Serialised into the studio: the camera is a drawing of the frame's number. Notes which frame is drawn when. */
function film({ columns, rows }) {
  /** Grain, which costs bits: another part of one large picture in each frame. */
  const grain = () => {
    const [width, height] = [960, 540];
    const canvas = Object.assign(document.createElement('canvas'), { width, height });
    const context = canvas.getContext('2d');
    const image = context.createImageData(width, height);
    for (let at = 0; at < image.data.length; at += 4) {
      image.data.fill(Math.random() * 256, at, at + 3);
      image.data[at + 3] = 40;
    }
    context.putImageData(image, 0, 0);
    return canvas;
  };
  const draw = () => {
    const [width, height] = [640, 360];
    const canvas = Object.assign(document.createElement('canvas'), { width, height });
    const context = canvas.getContext('2d', { alpha: false });
    const noise = grain();
    window.drawn = [];
    let frame = 0;
    setInterval(() => {
      const gray = frame ^ (frame >> 1);
      for (let bit = 0; bit < columns * rows; bit++) {
        context.fillStyle = (gray >> bit) & 1 ? '#fff' : '#000';
        const [x, y] = [bit % columns, Math.floor(bit / columns)];
        context.fillRect((x * width) / columns, (y * height) / rows, width / columns, height / rows);
      }
      context.drawImage(noise, -Math.random() * 320, -Math.random() * 180);
      window.drawn.push([performance.timeOrigin + performance.now(), frame]);
      if (window.drawn.length > 600) window.drawn.shift();
      frame = (frame + 1) % (1 << (columns * rows));
    }, 1_000 / 30);
    return canvas.captureStream();
  };
  const media = navigator.mediaDevices;
  const get = media.getUserMedia.bind(media);
  media.getUserMedia = async (constraints) => {
    const tracks = constraints.audio ? (await get({ audio: constraints.audio })).getTracks() : [];
    return new MediaStream([...tracks, ...(constraints.video ? draw().getVideoTracks() : [])]);
  };
}

/** Serialised into a viewer's page: notes which frame is shown when. Its offer waits for `release` where `held` is set. */
function observe({ columns, rows }, held) {
  let release = () => {};
  const released = held ? new Promise((resolve) => { release = resolve; }) : Promise.resolve();
  const seen = { asked: null, shown: [] };
  window.seen = seen;
  window.release = () => release();
  const now = () => performance.timeOrigin + performance.now();

  const { prototype } = RTCPeerConnection;
  const describe = prototype.setLocalDescription;
  prototype.setLocalDescription = async function begin(...args) {
    window.waits = true;
    await released;
    seen.asked ??= now();
    return describe.apply(this, args);
  };

  const canvas = Object.assign(document.createElement('canvas'), { width: columns * 4, height: rows * 4 });
  const context = canvas.getContext('2d', { alpha: false, willReadFrequently: true });
  const number = (video) => {
    context.drawImage(video, 0, 0, canvas.width, canvas.height);
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
    let gray = 0;
    for (let bit = 0; bit < columns * rows; bit++) {
      const [x, y] = [(bit % columns) * 4 + 2, Math.floor(bit / columns) * 4 + 2];
      gray |= (data[(y * canvas.width + x) * 4] > 127 ? 1 : 0) << bit;
    }
    for (let shift = 1; shift < columns * rows; shift *= 2) gray ^= gray >> shift;
    return gray;
  };
  const watched = new WeakSet();
  const watch = (video) => {
    if (watched.has(video)) return;
    watched.add(video);
    const step = (_, { presentationTime }) => {
      seen.shown.push([performance.timeOrigin + presentationTime, number(video)]);
      video.requestVideoFrameCallback(step);
    };
    video.requestVideoFrameCallback(step);
  };
  const source = Object.getOwnPropertyDescriptor(HTMLMediaElement.prototype, 'srcObject');
  Object.defineProperty(HTMLMediaElement.prototype, 'srcObject', {
    ...source,
    set(stream) {
      if (this instanceof HTMLVideoElement && stream) watch(this);
      source.set.call(this, stream);
    },
  });
}

export const films = (page) => page.evaluateOnNewDocument(film, GRID);

export const observes = (page, { held = false } = {}) => page.evaluateOnNewDocument(observe, GRID, held);

export const drawn = (page) => page.evaluate(() => window.drawn);

export const seen = (page) => page.evaluate(() => window.seen);

/** Median of numbers. */
export const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];

/** How many ms later than `other` a viewer shows the same frames, between two times: each frame that both have shown. */
export function behind(viewer, other, from, to) {
  // The numbers begin anew after two minutes; a frame is looked for nearby.
  const at = (frame, near) => other.find(([time, its]) => its === frame && Math.abs(time - near) < 10_000)?.[0];
  return viewer
    .filter(([time]) => time >= from && time < to)
    .map(([time, frame]) => time - at(frame, time))
    .filter((apart) => !Number.isNaN(apart));
}
