// What a test page watches itself with. Runs before the page's own scripts, outside its content security policy.

/** Serialised into the page. */
function instrument() {
  const peers = [];
  const Original = window.RTCPeerConnection;
  const statistics = async (peer) => [...(await peer.getStats()).values()];
  window.RTCPeerConnection = class extends Original {
    constructor(...args) {
      super(...args);
      const entry = { peer: this, created: performance.now(), firstFrame: null };
      peers.push(entry);
      const poll = async () => {
        if (this.connectionState === 'closed') return;
        const video = (await statistics(this)).find((s) => s.type === 'inbound-rtp' && s.kind === 'video');
        if ((video?.framesDecoded ?? 0) > 0) entry.firstFrame = performance.now() - entry.created;
        else setTimeout(poll, 15);
      };
      setTimeout(poll, 15);
    }
  };

  // Smaller than a person's camera, so that encoding leaves the machine to what is tested.
  const media = navigator.mediaDevices;
  if (media) {
    const get = media.getUserMedia.bind(media);
    media.getUserMedia = (constraints) => {
      const size = window.cameraSize ?? { width: 640, height: 360 };
      const video = constraints.video ? { ...size, frameRate: 30 } : false;
      return get({ ...constraints, video });
    };
  }

  window.measure = async () => {
    const entry = peers.findLast(({ peer }) => peer.connectionState !== 'closed');
    if (!entry) return null;
    const stats = await statistics(entry.peer);
    const of = (type, kind) => stats.find((s) => s.type === type && s.kind === kind) ?? {};
    const video = of('inbound-rtp', 'video');
    const audio = of('inbound-rtp', 'audio');
    const pairs = stats.filter((s) => s.type === 'candidate-pair' && (s.nominated || s.selected));
    const pair = pairs.find((s) => s.state === 'succeeded') ?? pairs[0];
    const local = stats.find((s) => s.id === pair?.localCandidateId);
    return {
      peers: peers.length,
      state: entry.peer.connectionState,
      firstFrame: entry.firstFrame,
      frames: video.framesDecoded ?? 0,
      width: video.frameWidth ?? 0,
      height: video.frameHeight ?? 0,
      audioPackets: audio.packetsReceived ?? 0,
      bytes: (video.bytesReceived ?? 0) + (audio.bytesReceived ?? 0),
      lost: (video.packetsLost ?? 0) + (audio.packetsLost ?? 0),
      freezes: video.freezeCount ?? 0,
      frozenMs: (video.totalFreezesDuration ?? 0) * 1_000,
      samples: audio.totalSamplesReceived ?? 0,
      concealed: (audio.concealedSamples ?? 0) - (audio.silentConcealedSamples ?? 0),
      sentFrames: of('outbound-rtp', 'video').framesSent ?? 0,
      codec: stats.find((s) => s.id === video.codecId)?.mimeType,
      cipher: stats.find((s) => s.type === 'transport')?.srtpCipher,
      localPort: local?.port,
      transport: local?.protocol,
      candidate: local?.candidateType,
      relayProtocol: local?.relayProtocol,
    };
  };

  /** Every picture that the latest connection receives, in the order of its sections. */
  window.pictures = async () => {
    const receives = (peer) => peer.getTransceivers().some(({ direction }) => direction === 'recvonly');
    const entry = peers.findLast(({ peer }) => peer.connectionState !== 'closed' && receives(peer));
    if (!entry) return [];
    const stats = await statistics(entry.peer);
    return entry.peer.getTransceivers().filter(({ receiver }) => receiver.track.kind === 'video').map(({ mid, receiver, direction }) => {
      const of = stats.find((s) => s.type === 'inbound-rtp' && s.kind === 'video' && (s.mid === mid || s.trackIdentifier === receiver.track.id)) ?? {};
      return { mid, direction, ssrc: of.ssrc, frames: of.framesDecoded ?? 0, freezes: of.freezeCount ?? 0, height: of.frameHeight ?? 0 };
    });
  };

  window.stats = async () => {
    const entry = peers.findLast(({ peer }) => peer.connectionState !== 'closed');
    const stats = entry ? await statistics(entry.peer) : [];
    const video = stats.find((s) => s.type === 'outbound-rtp' && s.kind === 'video') ?? {};
    const pair = stats.find((s) => s.type === 'candidate-pair' && s.availableOutgoingBitrate) ?? {};
    return {
      available: pair.availableOutgoingBitrate,
      target: video.targetBitrate,
      sent: video.bytesSent,
      fps: video.framesPerSecond,
      width: video.frameWidth,
      limited: video.qualityLimitationReason,
      retransmitted: video.retransmittedPacketsSent,
      nacks: video.nackCount,
      keyFrames: video.keyFramesEncoded,
      plis: video.pliCount,
    };
  };

  /** The layers of the picture that is sent: whether each is on, and what has left of it. */
  window.layers = async () => {
    const entry = peers.findLast(({ peer }) => peer.connectionState !== 'closed');
    const sender = entry?.peer.getSenders().find(({ track }) => track?.kind === 'video');
    const sent = entry ? (await statistics(entry.peer)).filter((s) => s.type === 'outbound-rtp' && s.kind === 'video') : [];
    return (sender?.getParameters().encodings ?? []).map(({ rid, active }) => {
      const of = sent.find((s) => s.rid === rid) ?? {};
      return { rid, active, frames: of.framesSent ?? 0, height: of.frameHeight ?? 0 };
    });
  };

  /** Key frames that were sent, in all layers. */
  window.keyFrames = async () => {
    const { peer } = peers.findLast(({ peer }) => peer.connectionState !== 'closed');
    const sent = (await statistics(peer)).filter((s) => s.type === 'outbound-rtp' && s.kind === 'video');
    return sent.reduce((sum, { keyFramesEncoded }) => sum + (keyFramesEncoded ?? 0), 0);
  };

  /** Sends a drawing of this size in place of the camera. */
  window.swap = async (width, height) => {
    const canvas = document.createElement('canvas');
    Object.assign(canvas, { width, height });
    const context = canvas.getContext('2d');
    setInterval(() => {
      context.fillStyle = `hsl(${performance.now() / 20}, 60%, 40%)`;
      context.fillRect(0, 0, width, height);
    }, 40);
    const { peer } = peers.findLast(({ peer }) => peer.connectionState !== 'closed');
    const sender = peer.getSenders().find(({ track }) => track?.kind === 'video');
    await sender.replaceTrack(canvas.captureStream(25).getVideoTracks()[0]);
  };

  window.describe = () => {
    const peer = peers.findLast(({ peer }) => peer.connectionState !== 'closed')?.peer;
    return { local: peer?.localDescription?.sdp ?? '', remote: peer?.remoteDescription?.sdp ?? '' };
  };
}

export const instrumentation = instrument;
